// Reading and printing Odoo datetimes: UTC text "YYYY-MM-DD HH:MM:SS".

const kFormats = new Map();

function offsetMinutes(zone, atMs) {
  if (!kFormats.has(zone)) {
    kFormats.set(
      zone,
      new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      }),
    );
  }
  const parts = Object.fromEntries(
    kFormats
      .get(zone)
      .formatToParts(new Date(atMs))
      .map((part) => [part.type, part.value]),
  );
  const there = Date.UTC(
    Number(parts.year),
    Number(parts.month) - 1,
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second),
  );
  return Math.round((there - Math.floor(atMs / 1000) * 1000) / 60000);
}

export const toText = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

let current = { second: 0, text: '' };

export function now() {
  const ms = Date.now();
  const second = Math.floor(ms / 1000);
  if (second !== current.second) current = { second, text: toText(ms) };
  return current.text;
}

export const today = () => new Date().toISOString().slice(0, 10);

const kDatetime = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;
const kDate = /^(\d{4})-(\d{2})-(\d{2})$/;

export function isDate(text) {
  return kDate.test(text) && !Number.isNaN(Date.parse(text));
}

export function isDatetime(text) {
  return kDatetime.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T') + 'Z'));
}

// A wall-clock time of `zone` as UTC text.
export function fromZone(text, zone) {
  if (!zone || zone === 'UTC') return text;
  const naive = Date.parse(text.replace(' ', 'T') + 'Z');
  let utc = naive - offsetMinutes(zone, naive) * 60000;
  utc = naive - offsetMinutes(zone, utc) * 60000;
  return toText(utc);
}
