// Columns and shapes as slagkracht.reports.map_page packs them: little-endian numbers in base64, shapes as varints.

const TYPES = { u8: Uint8Array, u16: Uint16Array, i16: Int16Array, f32: Float32Array }

/** The bytes of a base64 text. */
function bytes(base64) {
  const text = atob(base64)
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}

/** The page's figures: gzip and JSON in the script element that Python filled; its columns unpacked on the way. */
export async function readFigures(element) {
  const stream = new Blob([bytes(element.textContent.trim())]).stream().pipeThrough(new DecompressionStream('gzip'))
  return JSON.parse(await new Response(stream).text(), (_, value) => {
    if (value && value.column) return new TYPES[value.column](bytes(value.data).buffer)
    return value
  })
}

/** MultiPolygon coordinates in degrees, one per shape, from a stream of zigzag varints (see pack_shapes in Python). */
export function unpackShapes(base64, scale) {
  const stream = bytes(base64)
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
