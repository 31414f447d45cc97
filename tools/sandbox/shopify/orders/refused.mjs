// What a shop's own rules refuse: a user error at the API, an answer 400 at the control door.
export class OrderRefused extends Error {}
