// Keeps a screen to the present: reads the stream of facts, refreshes what is marked data-live, counts ages on, and
// says within five seconds that contact was lost.
// Two heartbeats missed, and half a second between two looks: said within five seconds of the moment it was lost.
const SILENCE_MS = 4300
const LONGEST_MS = 30000
const banner = document.getElementById('contact')
const english = document.documentElement.lang === 'en'
let heard = Date.now()
let place = ''
let fresh = new Date()
let waiting = 0
let asking = 0
let tried = 0
let attempt = null
let patience = SILENCE_MS // with an attempt; it grows, so that a thousand screens that come back at once get their turn

/** Asks for whom this page was opened; where one acts for another meanwhile, the page begins anew as that. */
async function ask(address, given) {
  const answer = await fetch(address, { ...given, headers: { ...given.headers, 'X-Als': document.body.dataset.als } })
  if (answer.status === 409) location.reload()
  return answer
}

function age(seconds) {
  if (seconds < 60) return `${Math.max(Math.floor(seconds), 0)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} ${english ? 'h' : 'u'} ${Math.floor((seconds % 3600) / 60)} min`
}

function tick() {
  if (document.hidden) return
  const now = Date.now()
  for (const time of document.querySelectorAll('time[data-leeftijd]')) {
    const text = age((now - Date.parse(time.dateTime)) / 1000)
    if (time.textContent !== text) time.textContent = text
  }
  const lost = now - heard > SILENCE_MS
  if (lost && now - tried > patience) attempt?.abort() // a connection that hangs never ends by itself
  if (lost !== !banner.hidden) {
    banner.textContent = lost ? banner.dataset.tekst.replace('{om}', fresh.toLocaleTimeString(english ? 'en-GB' : 'nl-NL')) : ''
    banner.hidden = !lost
    document.documentElement.classList.toggle('verouderd', lost)
    if (!lost) refresh()
  }
}

/** Fetch this page again and replace the parts marked data-live, but never a part in which someone is writing. */
async function refresh() {
  if (!document.querySelector('[data-live], [data-later]')) return
  const answer = await ask(location.href, { headers: { 'X-Deel': '1' }, redirect: 'error' }).catch(() => null)
  if (!answer || !answer.ok) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = page.getElementById(part.id)
    if (!next || next.innerHTML === part.innerHTML) continue
    const active = document.activeElement
    if (part.contains(active) && active.matches('input, select, textarea')) continue
    const focused = part.contains(active) ? active.id || active.getAttribute('href') : ''
    const open = [...part.querySelectorAll('details[open]')].map((details) => details.id)
    part.replaceChildren(...next.childNodes)
    for (const id of open) if (id) document.getElementById(id)?.setAttribute('open', '')
    if (focused) (document.getElementById(focused) ?? part.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus()
  }
  fresh = new Date()
  document.dispatchEvent(new CustomEvent('beeld'))
  later()
}

/** Parts that take long to compute are asked after the page stands, and again until they are ready (202 = not yet). */
async function later() {
  for (const part of document.querySelectorAll('[data-later]')) {
    const answer = await ask(part.dataset.later, { headers: { 'X-Deel': '1' } }).catch(() => null)
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      part.replaceChildren(...page.body.childNodes)
      if (answer.status !== 202) part.removeAttribute('aria-busy')
      clearTimeout(asking)
      if (answer.status === 202) asking = setTimeout(later, 2000)
    }
  }
}

/** Resolves when someone looks at this page; whoever stood away hears the silence from then on. */
async function seen() {
  if (!document.hidden) return
  await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
  heard = Date.now()
}

/** The line is let go while nobody looks: a browser has but a few to one address, and a page that is looked at needs one. */
async function listen() {
  document.addEventListener('visibilitychange', () => document.hidden && attempt?.abort())
  for (;;) {
    await seen()
    tried = Date.now()
    attempt = new AbortController()
    try {
      const after = place
      const answer = await ask(document.body.dataset.stroom, { signal: attempt.signal, headers: after ? { 'Last-Event-ID': after } : {} })
      if (!answer.ok) throw new Error(String(answer.status))
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (;;) {
        const { value, done } = await reader.read()
        if (done) break
        heard = Date.now()
        patience = SILENCE_MS
        text += value
        const blocks = text.split('\n\n')
        text = blocks.pop()
        for (const block of blocks) {
          const id = block.match(/^id: (.*)$/m)
          const kind = block.match(/^event: (.*)$/m)
          if (id) place = id[1]
          if (kind && (kind[1] !== 'begin' || (after && block.includes('"hervat": false')))) {
            clearTimeout(waiting)
            waiting = setTimeout(refresh, 150)
          }
        }
      }
    } catch {
      // contact is lost: the banner says so, and we try again
    }
    if (heard < tried && Date.now() - tried > patience) patience = Math.min(2 * patience, LONGEST_MS)
    await new Promise((resolve) => setTimeout(resolve, 500 + 1000 * Math.random()))
  }
}

/** A form whose parts belong together: when what counts is changed, the server reckons the other parts again. */
function reckon(form) {
  history.replaceState(null, '', form.dataset.reken) // also where it stands after a move-up: to load it again orders nothing twice
  let latest = 0
  const send = form.querySelector('.doen')
  form.addEventListener('input', async (event) => {
    if (!event.target.matches('[data-telt]') || !event.target.validity.valid) return
    const mine = ++latest
    send.disabled = true
    const headers = { 'X-Deel': '1' }
    const answer = await ask(form.dataset.reken, { method: 'POST', body: new FormData(form), headers }).catch(() => null)
    const text = answer?.ok ? await answer.text() : ''
    if (mine !== latest) return
    send.disabled = false
    if (!text) return
    const page = new DOMParser().parseFromString(text, 'text/html')
    const focused = form.contains(document.activeElement) ? document.activeElement.id : ''
    for (const part of form.querySelectorAll('[data-rekent]')) {
      const next = page.getElementById(part.id)
      if (!next) continue
      for (const typed of part.querySelectorAll('input:not([data-telt]):not([type=hidden])'))
        if (next.querySelector(`#${CSS.escape(typed.id)}`)) next.querySelector(`#${CSS.escape(typed.id)}`).value = typed.value
      part.replaceChildren(...next.childNodes)
    }
    if (focused) document.getElementById(focused)?.focus()
  })
}

for (const form of document.querySelectorAll('form[data-reken]')) reckon(form)
if (document.body.dataset.stroom) {
  listen()
  later()
  setInterval(tick, 500)
}
for (const button of document.querySelectorAll('[data-afdrukken]')) button.addEventListener('click', () => window.print())
for (const form of document.querySelectorAll('form[data-bij-wijziging]'))
  form.addEventListener('change', () => form.requestSubmit())
