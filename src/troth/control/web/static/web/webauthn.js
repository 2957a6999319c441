/* Passkeys: asks the browser for one and sends the form with what it gave. Without script the button stays hidden.
   <form data-passkey="get|create" data-options="/address"> with a hidden [name=credential], [data-passkey-button] and
   [data-passkey-said]. */
"use strict";
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function asked(form) {
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      credentials: "same-origin",
      body: new URLSearchParams(new FormData(form)),
      redirect: "error",
    });
    if (!answer.ok) throw new Error("no options");
    return (await answer.json()).publicKey;
  }

  function wanted(options) {
    const known = { ...options, challenge: bytes(options.challenge) };
    if (known.user) known.user = { ...known.user, id: bytes(known.user.id) };
    if (known.allowCredentials) known.allowCredentials = named(known.allowCredentials);
    if (known.excludeCredentials) known.excludeCredentials = named(known.excludeCredentials);
    return known;
  }

  function given(credential) {
    const from = credential.response;
    const response = { clientDataJSON: text(from.clientDataJSON) };
    if (from.attestationObject) {
      response.attestationObject = text(from.attestationObject);
      response.transports = from.getTransports ? from.getTransports() : [];
    } else {
      response.authenticatorData = text(from.authenticatorData);
      response.signature = text(from.signature);
      response.userHandle = from.userHandle ? text(from.userHandle) : null;
    }
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment || null,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    };
  }

  const why = (error, making) => {
    if (error.name === "InvalidStateError") return "This device holds a passkey of this account already.";
    if (error.name === "NotAllowedError")
      return making
        ? "No passkey was made: it was cancelled, or took too long. Try again."
        : "No passkey was shown: it was cancelled, or took too long. Try again, or use another way.";
    return "The passkey could not be asked for. Load this page again, or use another way.";
  };

  async function use(form, button) {
    const making = form.dataset.passkey === "create";
    const said = form.querySelector("[data-passkey-said]");
    said.textContent = "";
    said.hidden = true;
    button.setAttribute("aria-busy", "true");
    try {
      const publicKey = wanted(await asked(form));
      const shown = making
        ? await navigator.credentials.create({ publicKey })
        : await navigator.credentials.get({ publicKey });
      form.elements.credential.value = JSON.stringify(given(shown));
      form.submit();
    } catch (error) {
      said.hidden = false;
      said.textContent = why(error, making);
      button.removeAttribute("aria-busy");
    }
  }

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("[data-passkey-button]");
    button.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-busy") !== "true") use(form, button);
    });
  }
})();
