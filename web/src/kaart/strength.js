// Looks up what the engine worked out beforehand: who makes the first to the tenth of a formation anywhere, and what stays.
import { ENDLESS, minutes } from '../data/dutch.js'
import { MISSING } from './arrivals.js'

const NOBODY = 255
const WHOLE = 10000
const MOST_NEAR = 8

export const VIEWS = {
  held: 'Tijd, elke regio boven haar ondergrens',
  free: 'Tijd, zonder ondergrenzen',
  cost: 'Wat de ondergrenzen kosten',
}

/** Where each entry of a flat list starts. */
function starts(counts) {
  const first = new Uint32Array(counts.length + 1)
  for (let i = 0; i < counts.length; i++) first[i + 1] = first[i] + counts[i]
  return first
}

/** One side of a formation (floors held, or free) ready to be looked up; made once. */
function opened(side, most) {
  if (!side.first) {
    side.first = starts(side.count)
    side.firstChange = starts(side.changes)
    if (side.beside) side.firstNear = starts(side.beside)
    side.complete_s = Float64Array.from(side.count, (count, at) => {
      let seconds = count ? 0 : NaN
      for (let i = side.first[at]; i < side.first[at + 1]; i++) seconds += side.step_s[i]
      return seconds
    })
    for (let at = 1; at < side.complete_s.length; at++) {
      // when the first so many stand: who goes first by doctrine may come later than the next
      if (at % most && side.complete_s[at] < side.complete_s[at - 1]) side.complete_s[at] = side.complete_s[at - 1]
    }
    side.rowOf = side.area ? new Map(Array.from(side.area, (area, row) => [area, row])) : null
  }
  side.most = most
  return side
}

/** Which side answers for an area, and its row there: without floors only what differs was kept. */
function sideOf(formation, free, area) {
  const held = opened(formation.held, formation.most)
  const row = free ? opened(formation.free, formation.most).rowOf.get(area) : undefined
  return row === undefined ? [held, area] : [formation.free, row]
}

/** Seconds until the number-th stands in an area; NaN where it never does. */
export function standsAfter(formation, free, area, number) {
  const [side, row] = sideOf(formation, free, area)
  return side.complete_s[row * formation.most + number - 1]
}

/** What the map shows in every area, in whole seconds. */
export function strengthValues(formation, view, number, areas) {
  return Int16Array.from({ length: areas }, (_, area) => {
    const held = standsAfter(formation, false, area, number)
    const free = standsAfter(formation, true, area, number)
    const value = view === 'held' ? held : view === 'free' ? free : Math.max(0, held - free)
    if (Number.isNaN(value)) return view === 'cost' && !Number.isNaN(free) ? ENDLESS : MISSING
    return Math.min(Math.round(value), ENDLESS - 1)
  })
}

function describeUnit(figures, strength, unit, arrival_s) {
  const { units } = strength
  return {
    row: unit,
    id: units.id[unit],
    type: units.type[unit],
    station: figures.results[0].stations.name[units.station[unit]],
    stationRow: units.station[unit],
    called: units.id[unit] === 'op oproep',
    region: figures.regions.name[units.region[unit]],
    arrival_s,
  }
}

/** The whole answer to `number` of a formation in an area: who, when, what stays, and why not others that are near. */
export function answer(figures, strength, formation, free, area, number) {
  const [side, row] = sideOf(formation, free, area)
  const goesFirst = formation.first[figures.areas.region[area]] ?? NOBODY
  const passedBy = goesFirst !== NOBODY && `hier gaat ${figures.regions.name[goesFirst]} voor met de eerste`
  const made = []
  const near = []
  const away = new Set()
  for (let m = 0; m < formation.most; m++) {
    const at = row * formation.most + m
    const units = []
    let arrival_s = 0
    for (let i = side.first[at]; i < side.first[at + 1]; i++) {
      arrival_s += side.step_s[i]
      units.push(describeUnit(figures, strength, side.unit[i], arrival_s))
    }
    if (!units.length) break
    if (m < number) {
      made.push({ number: m + 1, complete_s: arrival_s, units, regions: [...new Set(units.map((u) => u.region))] })
      units.forEach((u) => away.add(strength.units.region[u.row]))
    } else {
      const last_s = Math.max(...made.map((each) => each.complete_s))
      const why = passedBy && arrival_s < last_s ? passedBy : `hoort bij de ${m + 1}e, die pas na ${minutes(arrival_s)} heel is`
      for (const unit of units) if (unit.arrival_s < last_s) near.push({ ...unit, why })
    }
  }
  const last_s = Math.max(0, ...made.map((each) => each.complete_s))
  if (side.beside) {
    for (let i = side.firstNear[row]; i < side.firstNear[row + 1]; i++) {
      if (side.near_s[i] >= last_s) continue
      const held = side.refused[i] && side.refused[i] <= number && side.refuser[i] !== NOBODY
      const why = held
        ? `blijft thuis: ${figures.regions.name[side.refuser[i]]} zakt anders onder haar ondergrens`
        : formation.same_region
          ? 'haar regio krijgt er niet eerder een hele formatie mee gevormd'
          : 'haar plaats was al gevuld door een eerdere'
      near.push({ ...describeUnit(figures, strength, side.near[i], side.near_s[i]), why })
    }
  }
  const kept = new Map([...away].map((region) => [region, strength.kept[region]]))
  const until = row * formation.most + number
  for (let i = side.firstChange[row * formation.most]; i < side.firstChange[until]; i++) kept.set(side.region[i], side.keeps[i])
  return {
    made,
    last_s,
    goesFirst: goesFirst === NOBODY ? null : { region: figures.regions.name[goesFirst], brings: made[0]?.units.some((u) => strength.units.region[u.row] === goesFirst) ?? false },
    short: number - made.length,
    near: near.sort((a, b) => a.arrival_s - b.arrival_s).slice(0, MOST_NEAR),
    kept: [...kept]
      .map(([region, after]) => {
        const floor = strength.floor[region]
        return {
          region: figures.regions.name[region],
          before: strength.kept[region] / WHOLE,
          after: after / WHOLE,
          floor: floor > WHOLE ? null : floor / WHOLE,
          below: floor > WHOLE ? after < strength.kept[region] : after < floor,
          lends: away.has(region),
        }
      })
      .sort((a, b) => a.after - a.before - (b.after - b.before)),
    stations: [...new Set(made.flatMap((each) => each.units.map((u) => u.stationRow)))],
  }
}
