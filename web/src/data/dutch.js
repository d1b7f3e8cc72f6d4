// Figures as Dutch readers write them.

const whole = new Intl.NumberFormat('nl-NL', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('nl-NL', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export const number = (value) => whole.format(value)

export const percentage = (share) => (Number.isFinite(share) ? `${tenths.format(100 * share)} %` : '–')

/** Minutes and seconds, "8:27", and hours before them from an hour on, "2:12:36"; with its sign when asked. */
export function minutes(seconds, signed = false) {
  if (!Number.isFinite(seconds)) return '–'
  const size = Math.round(Math.abs(seconds))
  const sign = seconds < 0 ? '−' : signed ? '+' : ''
  const two = (part) => String(part).padStart(2, '0')
  const [hours, rest] = [Math.floor(size / 3600), size % 3600]
  return sign + (hours ? `${hours}:${two(Math.floor(rest / 60))}` : Math.floor(rest / 60)) + `:${two(rest % 60)}`
}

/** Seconds as "48 min" or "2 u 29", for what takes long. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–'
  const whole = Math.round(seconds / 60)
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} u ${String(whole % 60).padStart(2, '0')}`
}

export const day = (iso) =>
  new Intl.DateTimeFormat('nl-NL', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(iso))

/** Letters without accents and case, for searching. */
export const plain = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()

/** What stands for infinite in the page's columns. */
export const ENDLESS = 32767

/** A figure in the unit of its column or layer. */
export function figure(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (value >= ENDLESS && unit === 'duration') return 'alleen zonder'
  if (value >= ENDLESS && unit !== 'count') return 'alleen samen'
  if (unit === 'seconds') return minutes(value)
  if (unit === 'duration') return duration(value)
  if (unit === 'signed_seconds') return minutes(value, true)
  if (unit === 'share') return percentage(value)
  if (unit === 'count') return number(value)
  return String(value)
}
