// Shows the API reference and the request log, which it polls with the faults and the state.
// Everything from the log is inserted as text, never as markup: a request may contain anything.

import { refreshControl, startControl } from "/_emulator/control.js";
import { byId, createElement } from "/_emulator/elements.js";

const POLL_INTERVAL = 1000; // milliseconds between two requests for the log

/** Shows Swagger UI, with the emulator's token in every bearer scheme of the spec. */
async function showReference(token) {
  const response = await fetch("openapi.json");
  const spec = await response.json();
  const swaggerUi = window.SwaggerUIBundle({
    domNode: byId("reference"),
    spec,
    validatorUrl: null, // the default validator is a server on the internet
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: countOperations(spec) === 1 ? "full" : "list",
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    onComplete: () => authorize(swaggerUi, spec, token),
  });
}

function countOperations(spec) {
  const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
  const pathItems = Object.values(spec.paths);
  return pathItems.flatMap((item) => methods.filter((method) => method in item)).length;
}

function authorize(swaggerUi, spec, token) {
  const schemes = spec.components?.securitySchemes ?? {};
  for (const [name, scheme] of Object.entries(schemes)) {
    const isBearer = scheme.type === "http" && scheme.scheme?.toLowerCase() === "bearer";
    if (token && isBearer) {
      swaggerUi.preauthorizeApiKey(name, token);
    }
  }
}

/** Indents JSON; any other body stays as it is. */
function formatBody(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

// Whether the user opened or closed an entry, by the number of its exchange.
const toggledEntries = new Map();

function createEntry(exchange, isOpen) {
  const details = createElement("details", "", createSummary(exchange));
  details.append(createFact("Authorization", exchange.authorization ?? "none"));
  if (exchange.fault !== null) {
    details.append(createFact("Fault", exchange.fault));
  }
  for (const finding of exchange.findings ?? []) {
    details.append(createFact("Finding", finding));
  }
  if (exchange.body) {
    details.append(createElement("pre", "", formatBody(exchange.body)));
  }
  details.open = isOpen;
  // The click event comes before the browser toggles the element.
  details.firstChild.addEventListener("click", () => {
    toggledEntries.set(exchange.number, !details.open);
  });
  const isFaulty = exchange.fault !== null || exchange.findings !== undefined;
  return createElement("li", isFaulty ? "faulty" : "", details);
}

function createSummary(exchange) {
  // The status is null if a fault dropped the connection before the client received it.
  const status = exchange.status === null ? "none" : String(exchange.status);
  return createElement(
    "summary",
    "",
    createElement("span", `status status-${status[0]}`, exchange.status === null ? "—" : status),
    createElement("span", "method", exchange.method),
    createElement("span", "target", exchange.target),
  );
}

function createFact(name, value) {
  return createElement(
    "p",
    "fact",
    createElement("span", "name", name),
    createElement("span", "value", value),
  );
}

let displayedLog = "";
let displayedTotal = 0;

async function refreshLog() {
  const response = await fetch("/_emulator/log");
  const text = await response.text();
  if (text === displayedLog) {
    return;
  }
  const log = JSON.parse(text);
  if (log.total < displayedTotal) {
    toggledEntries.clear(); // the emulator was reset: the numbers start again
  }
  const entries = log.exchanges.map((exchange) => {
    const isNewest = exchange.number === log.total;
    return createEntry(exchange, toggledEntries.get(exchange.number) ?? isNewest);
  });
  byId("entries").replaceChildren(...entries.reverse());
  byId("total").textContent = log.total;
  byId("empty").hidden = log.total > 0;
  byId("dropped").hidden = log.dropped === 0;
  byId("dropped").textContent = `The ${log.dropped} oldest requests were dropped from the log.`;
  displayedLog = text;
  displayedTotal = log.total;
}

function showState(text, className) {
  byId("state").textContent = text;
  byId("state").className = className;
}

async function poll() {
  try {
    await refreshLog();
    await refreshControl();
    showState("running", "running");
  } catch {
    showState("not running", "gone");
  }
  setTimeout(poll, POLL_INTERVAL);
}

if (window.SwaggerUIBundle) {
  showReference(document.body.dataset.token);
}
startControl();
poll();
