// The map page: opens the figures that Python wrote into it and shows them.
import '../tokens.css'
import '../base.css'
import { mount } from 'svelte'
import { readFigures, unpackShapes } from '../data/columns.js'
import Kaart from './Kaart.svelte'

const figures = await readFigures(document.getElementById('gegevens'))
document.title = `${figures.title} – Slagkracht`
const areas = unpackShapes(figures.areas.shapes, figures.scale)
const regions = unpackShapes(figures.regions.shapes, figures.scale)
const strengthBlock = document.getElementById('slagkracht')
// only unpacked when someone asks for it: a map of coverage need not wait for it
const readStrength = strengthBlock?.textContent ? () => readFigures(strengthBlock) : null
mount(Kaart, { target: document.getElementById('kaart'), props: { figures, areas, regions, readStrength } })
