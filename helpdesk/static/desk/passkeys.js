// Passkeys: hands what the page asks for to the device, and what the device says to the form.
const form = document.querySelector("[data-passkey]");

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

function asked() {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) options.excludeCredentials = known(options.excludeCredentials);
  if (options.allowCredentials) options.allowCredentials = known(options.allowCredentials);
  return options;
}

function told(key) {
  const { response } = key;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[part]) said[part] = text(response[part]);
  if (response.getTransports) said.transports = response.getTransports();
  return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response: said });
}

async function ask() {
  const problem = document.getElementById("passkey-problem");
  problem.hidden = true;
  try {
    const how = { publicKey: asked() };
    const key = await navigator.credentials[form.dataset.passkey](how);
    form.elements.credential.value = told(key);
    form.submit();
  } catch (error) {
    problem.textContent =
      error.name === "InvalidStateError" ? "This device has a passkey for your account already."
      : window.PublicKeyCredential ? "Your device did not answer, or you said no. Nothing was changed."
      : "This browser knows no passkeys here. They need a secure address (https).";
    problem.hidden = false;
  }
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  ask();
}
