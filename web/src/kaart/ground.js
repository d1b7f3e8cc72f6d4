// The ground under the page: where areas, municipalities, regions and stations lie, what they are called, what is near.

/** Everything of `figures` that has a place, made once: `names` for the map, `places` to search in, and questions about both. */
export function openGround(figures) {
  const { areas, municipalities, regions } = figures
  const { population } = areas
  const all = [...population.keys()]
  const { stations } = figures.results[0]

  const at = (area) => [areas.lon[area], areas.lat[area]]
  const municipalityOf = (area) => municipalities.name[areas.municipality[area]] ?? ''
  const byRegion = Map.groupBy(all, (area) => areas.region[area])
  const byMunicipality = Map.groupBy(all, (area) => areas.municipality[area])
  const peopleIn = (list) => list.reduce((sum, area) => sum + population[area], 0)

  /** The box around areas: [[west, south], [east, north]]. */
  function boxOf(list) {
    const lon = list.map((area) => areas.lon[area])
    const lat = list.map((area) => areas.lat[area])
    return [
      [Math.min(...lon), Math.min(...lat)],
      [Math.max(...lon), Math.max(...lat)],
    ]
  }

  /** Where the people of some areas live, on average. */
  function middleOf(list) {
    let [lon, lat, sum] = [0, 0, 0]
    for (const area of list) {
      const weight = population[area] + 0.001
      lon += weight * areas.lon[area]
      lat += weight * areas.lat[area]
      sum += weight
    }
    return [lon / sum, lat / sum]
  }

  /** The area whose middle is nearest to a point. */
  function nearestTo(point) {
    const narrowing = Math.cos((point[1] * Math.PI) / 180)
    let best = 0
    let least = Infinity
    for (const area of all) {
      const distance = ((areas.lon[area] - point[0]) * narrowing) ** 2 + (areas.lat[area] - point[1]) ** 2
      if (distance < least) [best, least] = [area, distance]
    }
    return best
  }

  /** The areas of a region ('r') or municipality ('g') that was searched for; undefined for any other place. */
  function areasOf(place) {
    return { r: byRegion, g: byMunicipality }[place.kind]?.get(place.id)
  }

  const mostPeopled = (list) => list.reduce((best, area) => (population[area] > population[best] ? area : best), list[0])

  const names = [
    ...[...byRegion].map(([region, list]) => ({
      text: regions.name[region],
      at: middleOf(list),
      from: 0,
      to: 9,
      weight: 1e9 + peopleIn(list),
      kind: 'region',
    })),
    ...[...byMunicipality]
      .filter(([municipality]) => municipalities.name[municipality])
      .map(([municipality, list]) => ({
        text: municipalities.name[municipality],
        at: middleOf(list),
        from: peopleIn(list) > 90000 ? 8.2 : 9,
        to: 22,
        weight: peopleIn(list),
        kind: 'municipality',
      })),
    ...stations.name.map((text, station) => ({
      text,
      at: [stations.lon[station], stations.lat[station]],
      from: 11,
      to: 22,
      weight: -station,
      kind: 'station',
    })),
  ]

  const places = [
    ...regions.name.map((text, id) => ({ kind: 'r', id, text, what: 'regio' })),
    ...municipalities.name.map((text, id) => ({ kind: 'g', id, text, what: 'gemeente' })),
    ...stations.name.map((text, id) => ({ kind: 'k', id, text, what: `kazerne · ${regions.name[stations.region[id]]}` })),
    ...areas.id.map((text, id) => ({ kind: 'a', id, text, what: `gebied · ${municipalityOf(id)}` })),
  ]

  return { at, areasOf, bounds: boxOf(all), boxOf, mostPeopled, municipalityOf, names, nearestTo, places }
}
