// What the maps say, in the language of the page. A text is known by its Dutch words.

const english = document.documentElement.lang === 'en'
export const locale = english ? 'en-GB' : 'nl-NL'

const ENGLISH = {
  'op tijd bereikt': 'reached in time',
  'ook gewoonlijk niet op tijd': 'usually not in time either',
  'nu niet op tijd, gewoonlijk wel': 'not in time now, usually so',
  toegezegd: 'committed',
  onderweg: 'en route',
  'ter plaatse': 'on scene',
  ingezet: 'deployed',
  afgelost: 'relieved',
  vrijgegeven: 'released',
  incident: 'incident',
  'eenheid in bijstand': 'unit in assistance',
  onbekend: 'unknown',
  'Beeld van {om}': 'Picture of {om}',
  'Beeld wordt gelezen': 'Reading the picture',
  '{wat} voor {wie}': '{wat} for {wie}',
  'plaats van {om}': 'place of {om}',
  'sinds {om}': 'since {om}',
  'op tijd': 'in time',
  'niet op tijd': 'not in time',
  'erbij: nu wel op tijd': 'gained: in time now',
  'eraf: niet meer op tijd': 'lost: no longer in time',
  'norm zegt hier niets': 'the norm says nothing here',
  beroeps: 'full-time',
  kazernering: 'standing by at the station',
  consignatie: 'on call',
  'vrije instroom': 'volunteers from home',
  'Geen contact met het platform; de schets staat nog hier.': 'No contact with the platform; the sketch is still here.',
  'Nieuwe kazerne {n}': 'New station {n}',
  '{wat}: gesloten': '{wat}: closed',
  '{wat}: verplaatst': '{wat}: moved',
  '{wat}: nieuw, één tankautospuit, {hoe}': '{wat}: new, one pumper, {hoe}',
  'van {mensen} inwoners op tijd': 'of {mensen} residents in time',
  erbij: 'gained',
  eraf: 'lost',
  Regio: 'Region',
  Erbij: 'Gained',
  Eraf: 'Lost',
  nooit: 'never',
  'Sterkte: basispeloton compleet, min:s na alarm, met elke ondergrens gehouden':
    'Strength: basic platoon complete, min:s from the alarm, every floor held',
  Waar: 'Where',
  Eerste: 'First',
  Vierde: 'Fourth',
  'midden van {regio}': 'centre of {regio}',
  'Wordt gerekend …': 'Computing …',
  'Kazerne (of sleep haar op de kaart)': 'Station (or drag it on the map)',
  Sluit: 'Close',
  '500 meter naar het noorden': '500 metres to the north',
  '500 meter naar het zuiden': '500 metres to the south',
  '500 meter naar het westen': '500 metres to the west',
  '500 meter naar het oosten': '500 metres to the east',
  'Nieuwe kazerne in het midden van de kaart': 'New station in the middle of the map',
  Wijzigingen: 'Changes',
  'Maak ongedaan: {wat}': 'Undo: {wat}',
  'Nog niets gewijzigd.': 'Nothing changed yet.',
  'De kaart kon niet worden geladen; alle cijfers staan in de tabellen.': 'The map could not be loaded; every figure is in the tables.',
  'Kaart. Pijltjestoetsen verschuiven, plus en min zoomen, Enter kiest het gebied in het midden.':
    'Map. Arrow keys pan, plus and minus zoom, Enter chooses the area in the middle.',
  'Deze browser kan de kaart niet tekenen (WebGL ontbreekt). Alle cijfers staan in de tabellen.':
    'This browser cannot draw the map (WebGL is missing). Every figure is in the tables.',
  Inzoomen: 'Zoom in',
  Uitzoomen: 'Zoom out',
}

/** A text with its {places} filled in. */
export function say(text, values = {}) {
  const told = english ? (ENGLISH[text] ?? text) : text
  return told.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place)
}
