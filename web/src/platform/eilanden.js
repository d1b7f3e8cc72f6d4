// Puts a live map on every page that has a place for one: <div data-eiland="beeld" data-land="…" data-bron="…">.
import '../tokens.css'
import { mount } from 'svelte'
import { unpackShapes } from '../data/columns.js'
import { say } from '../parts/words.js'
import Beeld from './Beeld.svelte'
import Plantafel from './Plantafel.svelte'

const ISLANDS = { beeld: Beeld, inzet: Beeld, plantafel: Plantafel }

for (const place of document.querySelectorAll('[data-eiland]')) {
  const answer = await fetch(place.dataset.land).catch(() => null)
  if (!answer?.ok) {
    place.textContent = say('De kaart kon niet worden geladen; alle cijfers staan in de tabellen.')
    continue
  }
  const land = await answer.json()
  const shapes = {
    areas: unpackShapes(land.gebieden.vormen, land.schaal),
    regions: unpackShapes(land.regios.vormen, land.schaal),
  }
  place.replaceChildren()
  mount(ISLANDS[place.dataset.eiland], { target: place, props: { land, shapes, kind: place.dataset.eiland, source: place.dataset.bron, page: place.dataset } })
}
