// Access tokens of one shop (2.2).
//
// "Client credentials: grant_type=client_credentials, client_id, client_secret (form) … {access_token, scope, expires_in: 86399}".
// "Refresh: grant_type=refresh_token … new access + new refresh token"; "expires_in 3600 s, refresh_token_expires_in 7,776,000 s";
// "Old refresh token stays usable until the new one is used (u)".
import { uuidFrom } from './random.mjs';

const kDay = 86_399;
const kHour = 3600;
const kNinetyDays = 7_776_000;

export class Tokens {
  constructor({ clock, random, tokens = [], client_id: clientId, client_secret: clientSecret, scopes, lifetime_s: lifetime }) {
    Object.assign(this, { clock, random, clientId, clientSecret, lifetime, scopes });
    this.static = new Set(tokens);
    this.expiring = new Map(); // token → time of its end
    this.refresh = new Map(); // refresh token → {until, retires}
    this.current = null;
    this.grants = 0;
    this.refusals = 0;
  }

  knows(token) {
    if (this.static.has(token)) return true;
    const until = this.expiring.get(token);
    return until !== undefined && this.clock.now() < until;
  }
  // Ends an expiring token now; static ones stay.
  expire(token) {
    this.expiring.delete(token);
  }
  expireAll() {
    this.expiring.clear();
  }
  text(prefix) {
    return `${prefix}_${uuidFrom(this.random).replaceAll('-', '')}`;
  }
  // For tests and the ready line: a refresh token as an installation would have left it.
  issueRefresh() {
    const token = this.text('shprt');
    this.refresh.set(token, { until: this.clock.now() + kNinetyDays * 1000, retires: null });
    return token;
  }

  // {status, body} of POST /admin/oauth/access_token.
  grant(form) {
    const refused = (status, error, description) => {
      this.refusals += 1;
      return { status, body: { error, error_description: description } };
    };
    if (!this.clientId || form.client_id !== this.clientId) return refused(400, 'invalid_client', 'The client is not known.');
    if (form.client_secret !== this.clientSecret) return refused(401, 'invalid_client', 'The client secret is wrong.');
    this.grants += 1;
    const scope = this.scopes.join(',');
    if (form.grant_type === 'client_credentials') {
      const seconds = this.lifetime ?? kDay;
      return { status: 200, body: { access_token: this.issue(seconds), scope, expires_in: seconds } };
    }
    if (form.grant_type !== 'refresh_token') return refused(400, 'unsupported_grant_type', `grant_type ${form.grant_type}`);
    const known = this.refresh.get(form.refresh_token);
    if (!known || this.clock.now() >= known.until) return refused(400, 'invalid_grant', 'The refresh token is not valid.');
    if (known.retires) this.refresh.delete(known.retires);
    const next = this.issueRefresh();
    this.refresh.get(next).retires = form.refresh_token;
    if (this.current) this.expiring.delete(this.current); // "One current expiring token per app and shop"
    const seconds = this.lifetime ?? kHour;
    this.current = this.issue(seconds);
    return {
      status: 200,
      body: { access_token: this.current, scope, expires_in: seconds, refresh_token: next, refresh_token_expires_in: kNinetyDays },
    };
  }
  issue(seconds) {
    const token = this.text('shpat');
    this.expiring.set(token, this.clock.now() + seconds * 1000);
    return token;
  }
}
