// Exceptions of the server, with the class name Odoo reports and the status JSON-2 gives it.

export class OdooError extends Error {
  constructor(name, status, message) {
    super(message);
    this.odooName = name;
    this.status = status;
  }
  // What load() lists as a message of its own (and repeats at record 0): UserError and its subclasses.
  get isUserError() {
    return this.odooName.startsWith('odoo.exceptions.') && this.status === 422;
  }
}

export const userError = (message) => new OdooError('odoo.exceptions.UserError', 422, message);
export const validationError = (message) => new OdooError('odoo.exceptions.ValidationError', 422, message);
export const accessError = (message) => new OdooError('odoo.exceptions.AccessError', 403, message);
export const accessDenied = () => new OdooError('odoo.exceptions.AccessDenied', 403, 'Access Denied');
export const missingError = (model, id, uid = 2) =>
  new OdooError('odoo.exceptions.MissingError', 404, `Record does not exist or has been deleted.\n(Record: ${model}(${id},), User: ${uid})`);
export const lockError = (message) => new OdooError('odoo.exceptions.LockError', 409, message);
export const valueError = (message) => new OdooError('builtins.ValueError', 500, message);
export const assertionError = (message) => new OdooError('builtins.AssertionError', 500, message);
export const typeError = (message) => new OdooError('builtins.TypeError', 500, message);
export const notFound = (message) => new OdooError('werkzeug.exceptions.NotFound', 404, message);
export const unprocessable = (message) => new OdooError('werkzeug.exceptions.UnprocessableEntity', 422, message);
export const unauthorized = (message) => new OdooError('werkzeug.exceptions.Unauthorized', 401, message);
export const serializationFailure = () =>
  new OdooError('psycopg2.errors.SerializationFailure', 500, 'could not serialize access due to concurrent update\n');
export const lockNotAvailable = (table) =>
  new OdooError('psycopg2.errors.LockNotAvailable', 500, `could not obtain lock on row in relation "${table}"\n`);

export const kCouldNotSerialize = 'could not serialize access due to concurrent update\n';
export const kTransactionAborted = 'current transaction is aborted, commands ignored until end of transaction block\n';

export function errorBody(error) {
  const name = error.odooName ?? `builtins.${error.constructor.name}`;
  return {
    name,
    message: error.message,
    arguments: [error.message],
    context: {},
    debug: `Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/http.py", line 1941, in _transactioning\n${name}: ${error.message}\n`,
  };
}

const kTitles = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export function htmlError(status) {
  const title = kTitles[status] ?? 'Error';
  return `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>The requested URL was not served as asked.</p>\n`;
}
