// The box around all regions, as [[west, south], [east, north]].
export function boundsOf(shapes) {
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const polygons of shapes)
    for (const rings of polygons)
      for (const [x, y] of rings[0]) {
        west = Math.min(west, x)
        east = Math.max(east, x)
        south = Math.min(south, y)
        north = Math.max(north, y)
      }
  return [
    [west, south],
    [east, north],
  ]
}

/** Names of regions and stations for placeNames. */
export function namesOf(land) {
  return [
    ...land.regios.naam.map((text, r) => ({ text, at: [land.regios.lon[r], land.regios.lat[r]], from: 0, to: 10, weight: 1000, kind: 'region' })),
    ...land.kazernes.naam.map((text, s) => ({ text, at: [land.kazernes.lon[s], land.kazernes.lat[s]], from: 9.5, to: 24, weight: 1, kind: 'station' })),
  ]
}
