// Names on the map as plain HTML in the reader's own fonts, the most important first, none over another.

const LIMIT = 90

/**
 * Keep the names that fit in view. `names` is a list of {text, at: [lon, lat], from, to, weight, kind}: shown between
 * two zoom levels, heavier ones first. Returns a function that stops it.
 */
export function placeNames(map, maplibre, names) {
  const ordered = [...names].sort((a, b) => b.weight - a.weight)
  const shown = new Map()

  function place() {
    const zoom = map.getZoom()
    const view = map.getBounds()
    const taken = []
    const wanted = new Set()
    for (const name of ordered) {
      if (wanted.size >= LIMIT) break
      if (zoom < name.from || zoom >= name.to || !view.contains(name.at)) continue
      const { x, y } = map.project(name.at)
      const half = name.text.length * 3.6 + 6
      const low = name.kind === 'station' ? 22 : 10
      const box = [x - half, y - 10, x + half, y + low]
      if (taken.some((b) => box[0] < b[2] && box[2] > b[0] && box[1] < b[3] && box[3] > b[1])) continue
      taken.push(box)
      wanted.add(name)
    }
    for (const [name, marker] of shown) {
      if (!wanted.has(name)) {
        marker.remove()
        shown.delete(name)
      }
    }
    for (const name of wanted) {
      if (shown.has(name)) continue
      const element = document.createElement('span')
      element.className = `name ${name.kind}`
      element.textContent = name.text
      element.setAttribute('aria-hidden', 'true') // the same names can be searched and stand in the table
      const marker = new maplibre.Marker({ element, anchor: 'center' }).setLngLat(name.at).addTo(map)
      element.removeAttribute('role')
      element.removeAttribute('tabindex')
      element.removeAttribute('aria-label')
      shown.set(name, marker)
    }
  }

  map.on('moveend', place)
  map.on('load', place)
  return () => {
    map.off('moveend', place)
    for (const marker of shown.values()) marker.remove()
  }
}
