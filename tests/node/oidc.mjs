// The strict OpenID provider of the tests: npm's oidc-provider with its own pages for signing in and consenting.
// node oidc.mjs PORT JSON, where JSON is {client, secret, redirect, users: {name: {email, email_verified, name}}, method}
import { Provider } from "oidc-provider";

const [port, given] = [process.argv[2], JSON.parse(process.argv[3])];
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: given.client,
      client_secret: given.secret,
      redirect_uris: [given.redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      token_endpoint_auth_method: given.method ?? "client_secret_basic",
    },
  ],
  pkce: { required: () => true },
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["of the tests"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...given.users[id] }) }),
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
