// Node's own client of the Resend API against our door: what tests/flow/submission/test_clients.py asks of it, as one JSON answer.
// Arguments: base address, key, a revoked key.
import { Resend } from "resend";

const [baseUrl, key, revoked] = process.argv.slice(2);
const resend = new Resend(key, { baseUrl });
const good = { from: "Firm firm <rent@mail.firm.example>", to: "ann@example.net", template: { id: "reminder", variables: { name: "Ann" } } };
const raw = { from: good.from, to: ["ann@example.net"], subject: "Hello", html: "<p>Hello</p>", tags: [{ name: "category", value: "rent" }] };

const sent = await resend.emails.send(good);
const whole = await resend.emails.send({
  ...raw, replyTo: "office@example.com", cc: "bob@example.net", headers: { "X-Note": "1" },
  attachments: [{ filename: "a.pdf", content: Buffer.from("%PDF-1.7 x") }],
});
const once = [await resend.emails.send(good, { idempotencyKey: "k" }), await resend.emails.send(good, { idempotencyKey: "k" })];
const batch = await resend.batch.send([good, raw]);
const permissive = await resend.batch.send([good, { ...raw, to: "stranger@example.net" }], { batchValidation: "permissive" });
const got = await resend.emails.get(whole.data.id);
const listed = await resend.emails.list({ limit: 2 });
const later = await resend.emails.send({ ...good, scheduledAt: "in 1 hour" });
const moved = await resend.emails.update({ id: later.data.id, scheduledAt: new Date(Date.now() + 7.2e6).toISOString() });
const cancelled = await resend.emails.cancel(later.data.id);

const attached = (content) => ({ ...raw, attachments: [{ filename: "a.pdf", content }] });
const bad = {
  unauthorized: await resend.emails.send(good, { headers: { Authorization: "" } }),
  "invalid-api-key": await new Resend("re_123", { baseUrl }).emails.send(good),
  "key-revoked": await new Resend(revoked, { baseUrl }).emails.send(good),
  "missing-field": await resend.emails.send({ ...raw, to: undefined }),
  "unknown-field": await resend.emails.send({ ...raw, topicId: "x" }),
  "bad-type": await resend.emails.send({ ...raw, subject: 1 }),
  "bad-base64": await resend.emails.send(attached("not base64")),
  "unknown-template": await resend.emails.send({ ...good, template: { id: "none" } }),
  "variables-do-not-fit": await resend.emails.send({ ...good, template: { id: "reminder", variables: { nam: "x" } } }),
  "address-invalid": await resend.emails.send({ ...good, to: "nobody" }),
  "recipient-unverified": await resend.emails.send({ ...good, to: "stranger@example.net" }),
  "sender-mismatch": await resend.emails.send({ ...good, from: "x@elsewhere.example" }),
  "header-injection": await resend.emails.send({ ...raw, subject: "a\r\nBcc: x@evil.example" }),
  "body-too-large": await resend.emails.send({ ...raw, html: "x".repeat(300_000) }),
  "not-found": await resend.emails.get("em_a_00000000000000000000000000000000"),
  "not-cancellable": await resend.emails.cancel(later.data.id),
  "idempotency-mismatch": await resend.emails.send(raw, { idempotencyKey: "k" }),
  "schedule-unreadable": await resend.emails.send({ ...good, scheduledAt: "whenever" }),
  "empty-batch": await resend.batch.send([]),
};
console.log(JSON.stringify({ sent, whole, once, batch, permissive, got, listed, later, moved, cancelled, bad }));
