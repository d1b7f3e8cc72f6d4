// From the page's columns to one area's story: the arrivals in order and what each is made of.

export const MISSING = -32768
const NO_UNIT = 65535

/** A layer's value in an area, in its own unit; null where there is none. */
export function valueAt(layer, area) {
  const value = layer.values[area]
  if (value === MISSING) return null
  return layer.unit === 'share' ? value / 1000 : value
}

/** Which class of the layer's scale a value falls in; the last class holds what is missing. */
export function classOf(scale, value) {
  if (value === null) return scale.classes.length - 1
  let i = 0
  while (i < scale.breaks.length && value >= scale.breaks[i]) i++
  return i
}

/** Everything that the panel shows about an area under a layer. */
export function describeArea(figures, layer, area) {
  const { areas, regions } = figures
  const { units, stations } = figures.results.find((r) => r.name === layer.name)
  const topic = figures.topics[layer.topic]
  const table = figures.arrivals.find((a) => a.topic === layer.topic && a.window === layer.window && a.name === layer.name)
  const home = areas.region[area]
  const window = figures.windows.findIndex((w) => w.id === layer.window)
  const call_s = table ? table.call_s[area] : 0
  const arrivals = []
  for (let k = 0; table && k < table.depth; k++) {
    const unit = table.unit[area * table.depth + k]
    if (unit === NO_UNIT) break
    const response_s = table.response_s[area * table.depth + k]
    const turnout_s = units.turnout_s[unit * figures.windows.length + window]
    const region = stations.region[units.station[unit]]
    arrivals.push({
      row: unit,
      unit: units.id[unit],
      type: units.type[unit],
      regime: figures.regimes[units.regime[unit * figures.windows.length + window]],
      station: stations.name[units.station[unit]],
      region: regions.name[region],
      neighbour: region !== home,
      response_s,
      call_s,
      turnout_s,
      drive_s: Math.max(0, response_s - call_s - turnout_s),
      readiness: units.readiness[unit * figures.windows.length + window] / 255,
    })
  }
  const at = (column) => (!column || column[area] === MISSING ? null : column[area])
  const { norm } = table ?? {}
  const limit_s = at(norm?.limit_s)
  const response_s = at(norm?.response_s)
  const completing = norm ? norm.completes[area] : NO_UNIT
  const completes = arrivals.findIndex((a) => a.row === completing)
  const spread = figures.spread
  const other = (view) => {
    const found = figures.layers.find((l) => l.view === view && l.topic === layer.topic && l.window === layer.window && l.name === layer.name)
    return found ? valueAt(found, area) : undefined
  }
  const last = arrivals[completes]
  return {
    id: areas.id[area],
    municipality: figures.municipalities.name[areas.municipality[area]] ?? '',
    region: regions.name[home],
    population: areas.population[area],
    aggregated: figures.aggregated,
    topic: topic.dutch,
    window: figures.windows[window]?.dutch ?? '',
    arrivals,
    response_s,
    completes,
    norm: limit_s === null ? null : { ...norm, limit_s },
    late: !norm?.in_time[area],
    margin_s: limit_s === null || response_s === null ? null : Math.abs(limit_s - response_s),
    // cells drawn together have a mean of these, which would not go with one area's arrivals
    chance: figures.aggregated ? null : (other('kans') ?? null),
    alone_s: figures.aggregated ? undefined : other('alleen'),
    band:
      spread > 0 && last ? [-1.645, 1.645].map((z) => call_s + last.turnout_s + last.drive_s * Math.exp(z * spread)) : null,
  }
}
