// Plays the past: asks the page of the next step, and shows its parts and its map, until stopped or at the last fact.
const form = document.getElementById('film')
const button = document.getElementById('speel')
const map = document.querySelector('[data-eiland]')
const PAUSE_MS = 1000
let playing = false

async function step() {
  const asked = new URLSearchParams({ om: form.dataset.om, stap: form.elements.stap.value, naar: '1' })
  const answer = await fetch(`/terugkijken?${asked}`, { headers: { 'X-Deel': '1' }, redirect: 'error' }).catch(() => null)
  if (!answer?.ok) return false
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-film]')) part.replaceChildren(...page.getElementById(part.id).childNodes)
  const next = page.getElementById('film')
  form.dataset.om = next.dataset.om
  form.elements.om.value = next.elements.om.value
  map.dataset.bron = page.querySelector('[data-eiland]').dataset.bron
  document.dispatchEvent(new CustomEvent('beeld'))
  history.replaceState(null, '', `/terugkijken?${new URLSearchParams({ om: form.dataset.om, stap: form.elements.stap.value })}`)
  return form.dataset.tot !== '' && Date.parse(form.dataset.om) < Date.parse(form.dataset.tot)
}

async function play() {
  while (playing && (await step())) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  stand(false)
}

function stand(on) {
  playing = on
  button.textContent = on ? button.dataset.stil : button.dataset.speel
  button.setAttribute('aria-pressed', String(on))
}

button.hidden = false
stand(false)
button.addEventListener('click', () => {
  stand(!playing)
  if (playing) play()
})
