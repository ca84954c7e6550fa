// Shows the API reference, and keeps the log of the requests up to date.
// Whatever comes from the log is put in as text, never as markup: a request may contain anything.

const INTERVAL = 1000; // milliseconds between two looks at the log

const byId = (id) => document.getElementById(id);

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** The reference, with the emulator's token already filled in wherever the spec asks for a bearer token. */
async function showReference(token) {
  const spec = await (await fetch("/openapi.json")).json();
  const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
  const operations = Object.values(spec.paths).flatMap((item) => methods.filter((method) => method in item));
  const ui = window.SwaggerUIBundle({
    domNode: byId("reference"),
    spec,
    validatorUrl: null, // it would ask a server on the internet
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: operations.length === 1 ? "full" : "list",
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    onComplete: () => {
      for (const [name, scheme] of Object.entries(spec.components?.securitySchemes ?? {})) {
        if (token && scheme.type === "http" && scheme.scheme?.toLowerCase() === "bearer") {
          ui.preauthorizeApiKey(name, token);
        }
      }
    },
  });
}

/** A body as it is easiest to read: JSON is indented, anything else stays as it came. */
function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function entry(exchange, open) {
  const status = exchange.status === null ? "none" : String(exchange.status);
  const made = element(
    "details",
    "",
    element(
      "summary",
      "",
      element("span", `status status-${status[0]}`, exchange.status === null ? "—" : status),
      element("span", "method", exchange.method),
      element("span", "target", exchange.target),
    ),
  );
  const facts = { Authorization: exchange.authorization ?? "none", Fault: exchange.fault };
  for (const [name, value] of Object.entries(facts)) {
    if (value !== null) {
      made.append(element("p", "fact", element("span", "name", name), element("span", "value", value)));
    }
  }
  if (exchange.body) {
    made.append(element("pre", "", pretty(exchange.body)));
  }
  made.open = open;
  made.firstChild.addEventListener("click", () => chosen.set(exchange.number, !made.open));
  return element("li", exchange.fault === null ? "" : "faulty", made);
}

const chosen = new Map(); // the entries that a click has opened or closed, by number
let shown = "";
let total = 0;

async function refresh() {
  const text = await (await fetch("/_emulator/log")).text();
  if (text === shown) {
    return;
  }
  const log = JSON.parse(text);
  if (log.total < total) {
    chosen.clear(); // the emulator was reset: the numbers begin anew
  }
  const entries = log.exchanges.map((each) => entry(each, chosen.get(each.number) ?? each.number === log.total));
  byId("entries").replaceChildren(...entries.reverse());
  byId("total").textContent = log.total;
  byId("empty").hidden = log.total > 0;
  shown = text;
  total = log.total;
}

async function follow() {
  try {
    await refresh();
    byId("state").textContent = "running";
    byId("state").className = "running";
  } catch {
    byId("state").textContent = "not running";
    byId("state").className = "gone";
  }
  setTimeout(follow, INTERVAL);
}

if (window.SwaggerUIBundle) {
  showReference(document.body.dataset.token);
}
follow();
