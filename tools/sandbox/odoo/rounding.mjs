// Rounding and printing of floats the way Python and Odoo do it. JavaScript numbers are the same IEEE doubles as Python's.

// Half away from zero, with the tiny push Odoo gives before rounding so that 1.005 (stored as 1.00499…) becomes 1.01.
export function roundHalfUp(value, decimals) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? 0 : value;
  const factor = 10 ** decimals;
  const scaled = Math.abs(value) * factor;
  const push = 2 ** (Math.log2(scaled) - 52);
  const rounded = Math.floor(scaled + push + 0.5);
  return (value < 0 ? -rounded : rounded) / factor;
}

// A float field's value on its way into a JSON answer: Python prints 10.0, JavaScript would print 10.
export class PyFloat {
  constructor(value) {
    this.value = value;
  }
}

export function pythonFloatText(value) {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'Infinity';
  if (value === -Infinity) return '-Infinity';
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    const [mantissa, exponent] = value.toExponential().split('e');
    const sign = exponent[0];
    const digits = exponent.slice(1);
    return `${mantissa}e${sign}${digits.length < 2 ? '0' + digits : digits}`;
  }
  const text = String(value);
  return text.includes('.') ? text : text + '.0';
}

// JSON text of a result. Strings go through JSON.stringify; floats through pythonFloatText.
export function toJson(value) {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
    case 'boolean':
      return String(value);
    default:
  }
  if (value instanceof PyFloat) return pythonFloatText(value.value);
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i += 1) text += (i ? ', ' : '') + toJson(value[i]);
    return text + ']';
  }
  let text = '{';
  let first = true;
  for (const key of Object.keys(value)) {
    text += (first ? '' : ', ') + JSON.stringify(key) + ': ' + toJson(value[key]);
    first = false;
  }
  return text + '}';
}
