// Puts back what was filled in on a form that was refused, so that only what was wrong is typed again.
const { adres, waarden } = JSON.parse(document.getElementById('ingevuld').textContent)

/** Of forms with one address, the one with the hidden values that were sent. */
const fits = (form) =>
  [...form.elements].every((field) => field.type !== 'hidden' || field.name === 'csrfmiddlewaretoken' || waarden[field.name]?.includes(field.value))
const alike = [...document.querySelectorAll('form')].filter((form) => form.getAttribute('action') === adres)
const form = alike.find(fits) ?? (alike.length === 1 ? alike[0] : null)

for (const field of form?.elements ?? []) {
  if (!field.name || field.matches('button, [type=hidden], [type=file], [type=password]')) continue
  const given = waarden[field.name]
  if (field.matches('[type=checkbox], [type=radio]')) field.checked = given?.includes(field.value) ?? false
  else if (field.multiple) for (const option of field.options) option.selected = given?.includes(option.value) ?? false
  else if (given?.length) field.value = given.shift()
}
for (let around = form?.closest('details'); around; around = around.parentElement.closest('details')) around.open = true
