// What the map is coloured by: which layer answers a wish, the layer that strength makes, and where a layer is worst.
import { strengthValues } from './strength.js'

const MOST_GAPS = 25

/** The index of the layer nearest to a wish: what one changes (the first key of `wish`) holds, the rest stays where it can. */
export function nearestLayer(layers, chosen, wish) {
  const { name, topic, view, window } = layers[chosen]
  const want = { name, topic, view, window, ...wish }
  const [fixed] = Object.keys(wish)
  let best = chosen
  let most = -1
  layers.forEach((layer, i) => {
    if (layer[fixed] !== want[fixed]) return
    const score =
      (layer.name === want.name) * 8 + (layer.topic === want.topic) * 4 + (layer.window === want.window) * 2 + (layer.view === want.view)
    if (score > most) [best, most] = [i, score]
  })
  return best
}

/** The layer of what is asked of strength: {formation, count, view: held | free | cost}. */
export function strengthLayer(figures, strength, asked) {
  const formation = strength.formations[asked.formation]
  const which = formation.most === 1 ? 'enige' : `${asked.count}e`
  const cost = asked.view === 'cost'
  const floors = asked.view === 'held' ? '; elke regio die geeft blijft boven haar ondergrens' : '; alsof geen regio een ondergrens had'
  const meaning = cost
    ? `Hoeveel later de ${which} er staat doordat elke regio boven haar ondergrens blijft.`
    : `Vanaf het alarm, elk gebied op zichzelf${floors}.`
  return {
    name: '',
    window: strength.window,
    title: `${formation.dutch} – ${cost ? `wat de ondergrenzen kosten bij de ${which}` : `tijd tot de ${which} er staat`}`,
    explanation: `${meaning} Venster: ${figures.windows.find((window) => window.id === strength.window).dutch}.`,
    unit: 'duration',
    scale: cost ? 'ondergrens' : 'staat',
    values: strengthValues(formation, asked.view, asked.count, figures.areas.population.length),
    gaps: cost ? 'Waar zij het meest kosten' : 'Waar het het langst duurt',
    worst: 'high',
    fine: 0,
  }
}

/** The peopled areas where a layer is worst, the worst first: {area, value, population}. */
export function worstAreas(layer, values, population) {
  const sign = layer.worst === 'low' ? 1 : -1
  return values
    .map((value, area) => ({ area, value, population: population[area] }))
    .filter((gap) => gap.value !== null && gap.population > 0 && sign * (gap.value - layer.fine) < 0)
    .sort((a, b) => sign * (a.value - b.value))
    .slice(0, MOST_GAPS)
}

/** The share of residents in each class. */
export function sharesOf(classes, count, population) {
  const people = population.reduce((a, b) => a + b, 0) || 1
  const sums = new Array(count).fill(0)
  classes.forEach((c, area) => (sums[c] += population[area]))
  return sums.map((sum) => sum / people)
}
