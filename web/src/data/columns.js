// Columns and shapes as slagkracht.reports.columns packs them: little-endian numbers in base64, shapes as varints.

const TYPES = { u8: Uint8Array, u16: Uint16Array, i16: Int16Array, f32: Float32Array }

/** The bytes of a base64 text. */
function bytes(base64) {
  const text = atob(base64)
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}

/** A block of figures that pack_block wrote into a script element: JSON, and the columns that it points to. */
export async function readFigures(element) {
  const stream = new Blob([bytes(element.textContent.trim())]).stream().pipeThrough(new DecompressionStream('gzip'))
  const block = new Uint8Array(await new Response(stream).arrayBuffer())
  let at = 4 + new DataView(block.buffer).getUint32(0, true)
  const figures = JSON.parse(new TextDecoder().decode(block.subarray(4, at)), (_, value) =>
    value && value.column ? new TYPES[value.column](value.count) : value,
  )
  // JSON.parse meets the columns in the order in which they were written
  const fill = (value) => {
    if (ArrayBuffer.isView(value)) {
      const size = value.BYTES_PER_ELEMENT
      const whole = new Uint8Array(value.buffer)
      for (let part = 0; part < size; part++) for (let i = 0; i < value.length; i++) whole[i * size + part] = block[at++]
    } else if (value && typeof value === 'object') Object.values(value).forEach(fill)
  }
  fill(figures)
  return figures
}

/** MultiPolygon coordinates in degrees, one per shape, from a stream of zigzag varints (see pack_shapes in Python). */
export function unpackShapes(packed, scale) {
  const stream = typeof packed === 'string' ? bytes(packed) : packed
  let at = 0
  const next = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = stream[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const step = () => {
    const zigzag = next()
    return (zigzag >>> 1) ^ -(zigzag & 1)
  }
  let x = 0
  let y = 0
  const shapes = []
  for (let count = next(); count > 0; count--) {
    const polygons = []
    for (let p = next(); p > 0; p--) {
      const rings = []
      for (let r = next(); r > 0; r--) {
        const ring = []
        for (let n = next(); n > 0; n--) {
          x += step()
          y += step()
          ring.push([x / scale, y / scale])
        }
        ring.push(ring[0])
        rings.push(ring)
      }
      polygons.push(rings)
    }
    shapes.push(polygons)
  }
  return shapes
}
