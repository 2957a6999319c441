// Three libraries of receivers on our deliveries: what tests/flow/webhooks/test_libraries.py asks, as one JSON answer.
// Standard input: a list of {secret, body, headers}. Each answer says what each library made of it.
import { readFileSync } from "node:fs";
import { Resend } from "resend";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const resend = new Resend("re_none");
const libraries = {
  standardwebhooks: ({ secret, body, headers }) => new Standard(secret).verify(body, headers),
  svix: ({ secret, body, headers }) => new Svix(secret).verify(body, only(headers, "svix-")),
  svixByStandardNames: ({ secret, body, headers }) => new Svix(secret).verify(body, only(headers, "webhook-")),
  resend: ({ secret, body, headers }) =>
    resend.webhooks.verify({
      payload: body,
      webhookSecret: secret,
      headers: { id: headers["svix-id"], timestamp: headers["svix-timestamp"], signature: headers["svix-signature"] },
    }),
};

function only(headers, prefix) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)));
}

function ask(verify, delivery) {
  try {
    return verify(delivery).type;
  } catch {
    return "refused";
  }
}

const deliveries = JSON.parse(readFileSync(0, "utf8"));
const answers = deliveries.map((delivery) =>
  Object.fromEntries(Object.entries(libraries).map(([name, verify]) => [name, ask(verify, delivery)])));
console.log(JSON.stringify(answers));
