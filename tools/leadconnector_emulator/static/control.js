// Shows and sets the faults and the state of the emulator, through its control over HTTP.

import { byId, createButton, createElement } from "/_emulator/elements.js";

const MAIN_FIELDS = ["status", "latency", "drop", "times", "path"];

/** The error of a control request, which names what is wrong and where. */
class ControlError extends Error {}

/** Sends a control request, and returns the content of its response. */
async function send(method, path, data) {
  const options = { method };
  if (data !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(data);
  }
  const response = await fetch(`/_emulator/${path}`, options);
  const content = response.status === 204 ? null : await response.json();
  if (!response.ok) {
    throw new ControlError(content.detail);
  }
  return content;
}

/** Carries out a change, shows its error in an element, and then shows the new state. */
async function change(errorId, action) {
  const error = byId(errorId);
  try {
    await action();
    error.hidden = true;
  } catch (reason) {
    error.textContent = reason instanceof ControlError ? reason.message : String(reason);
    error.hidden = false;
  }
  await refreshControl();
}

// Tabs

function selectTab(selected) {
  for (const tab of document.querySelectorAll("#tabs [role=tab]")) {
    const isSelected = tab === selected;
    tab.setAttribute("aria-selected", String(isSelected));
    tab.tabIndex = isSelected ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !isSelected;
  }
}

function moveToTab(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined) {
    return;
  }
  const tabs = [...document.querySelectorAll("#tabs [role=tab]:not([hidden])")];
  const index = (tabs.indexOf(event.target) + step + tabs.length) % tabs.length;
  selectTab(tabs[index]);
  tabs[index].focus();
}

// Faults

let displayedFaults = "";

function describe(fault) {
  const texts = Object.entries(fault).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return texts.join(", ") || "no misbehaviour";
}

function createRule(rule) {
  const remove = createButton("Remove", () =>
    change("fault-error", () => send("DELETE", `faults/${rule.number}`)),
  );
  return createElement(
    "li",
    "rule",
    createElement("code", "", describe(rule.fault)),
    createElement("span", "hint", `applied ${rule.applied} of ${rule.matched}`),
    remove,
  );
}

async function refreshFaults() {
  const { faults } = await send("GET", "faults");
  byId("fault-count").textContent = faults.length;
  byId("no-faults").hidden = faults.length > 0;
  byId("clear-faults").hidden = faults.length === 0;
  const text = JSON.stringify(faults);
  if (text !== displayedFaults) {
    byId("rules").replaceChildren(...faults.map(createRule));
    displayedFaults = text;
  }
}

/** The types of a value, without `null`: an empty input stands for it. */
function typesOf(schema) {
  return [schema.type ?? []].flat().filter((type) => type !== "null");
}

function createInput(name, schema) {
  const input = createElement(schema.enum ? "select" : "input", "");
  input.name = name;
  input.id = `fault-${name}`;
  input.title = schema.description ?? "";
  if (schema.enum) {
    for (const value of schema.enum.filter((option) => option !== null)) {
      input.append(createElement("option", "", value));
    }
    input.prepend(createElement("option", ""));
    input.value = "";
  } else if (typesOf(schema).includes("object")) {
    input.placeholder = '{"Retry-After": "2"}';
  } else if (!typesOf(schema).includes("string")) {
    input.inputMode = "decimal";
  }
  return input;
}

function createField(name, schema) {
  const label = createElement("label", "field", name);
  label.append(createInput(name, schema));
  return label;
}

/** The value of an input. What is no JSON stays text, so that the control explains the error. */
function parseValue(text, schema) {
  if (typesOf(schema).includes("string") || schema.enum) {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function readFault(form, schemas) {
  const fault = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const text = form.elements[name].value;
    if (text !== "") {
      fault[name] = parseValue(text, schema);
    }
  }
  return fault;
}

async function showFaultForm() {
  const description = await send("GET", "schema");
  const schemas = description.components.schemas.Fault.properties;
  const others = Object.keys(schemas).filter((name) => !MAIN_FIELDS.includes(name));
  byId("main-fields").append(...MAIN_FIELDS.map((name) => createField(name, schemas[name])));
  byId("other-fields").append(...others.map((name) => createField(name, schemas[name])));
  const form = byId("fault-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change("fault-error", async () => {
      await send("POST", "faults", readFault(form, schemas));
      form.reset();
    });
  });
}

// State

let displayedResources = "";

function resourcePath(collection, id) {
  return `resources/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;
}

function createEditor(collection, resource, item) {
  const text = createElement("textarea", "");
  text.value = JSON.stringify(resource, null, 2);
  text.rows = Math.min(20, text.value.split("\n").length + 1);
  text.spellcheck = false;
  text.setAttribute("aria-label", `JSON of ${resource.id}`);
  const save = createButton(
    "Save",
    () =>
      change("resource-error", async () => {
        await saveResource(collection, text.value);
        discard(item); // the list shows the stored version
      }),
    "main",
  );
  const remove = createButton("Delete", () =>
    change("resource-error", async () => {
      if (!item.classList.contains("unsaved")) {
        await send("DELETE", resourcePath(collection, resource.id));
      }
      discard(item);
    }),
  );
  return [text, createElement("p", "buttons", save, remove)];
}

/** Removes a resource from the page, and lets the next refresh show the list again. */
function discard(item) {
  item.remove();
  displayedResources += " ";
}

async function saveResource(collection, text) {
  let resource;
  try {
    resource = JSON.parse(text);
  } catch (error) {
    throw new ControlError(`The text is not JSON: ${error.message}`);
  }
  if (typeof resource?.id !== "string" || resource.id === "") {
    throw new ControlError("The resource needs an id: a text that is not empty.");
  }
  await send("PUT", resourcePath(collection, resource.id), resource);
}

/** A resource. Its editor is created when it is opened: a collection may be large. */
function createResource(collection, resource) {
  const details = createElement("details", "", createElement("summary", "", resource.id));
  details.dataset.id = resource.id;
  const item = createElement("li", "resource", details);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) {
      details.append(...createEditor(collection, resource, item));
    }
  });
  return item;
}

async function refreshCollections() {
  const { collections } = await send("GET", "resources");
  const names = Object.keys(collections);
  const select = byId("collection");
  if (names.join() !== [...select.options].map((option) => option.value).join()) {
    select.replaceChildren(...names.map((name) => createElement("option", "", name)));
  }
  const counts = Object.values(collections);
  byId("resource-count").textContent = counts.reduce((sum, count) => sum + count, 0);
}

/** The open items by id. A call of the API must not replace the text that the user edits. */
function openEditors() {
  const items = document.querySelectorAll("#resource-list li:not(.unsaved):has(details[open])");
  return new Map([...items].map((item) => [item.firstChild.dataset.id, item]));
}

async function refreshResources() {
  await refreshCollections();
  const collection = byId("collection").value;
  const path = `resources/${encodeURIComponent(collection)}`;
  const { total, resources } = await send("GET", path);
  const text = JSON.stringify([collection, resources]);
  if (text === displayedResources) {
    return;
  }
  const isSameCollection = displayedResources.startsWith(`[${JSON.stringify(collection)},`);
  const editors = isSameCollection ? openEditors() : new Map();
  const unsaved = isSameCollection ? document.querySelectorAll("#resource-list .unsaved") : [];
  const items = resources.map(
    (resource) => editors.get(resource.id) ?? createResource(collection, resource),
  );
  byId("resource-list").replaceChildren(...unsaved, ...items);
  byId("more-resources").hidden = total <= resources.length;
  byId("more-resources").textContent = `${total - resources.length} more are not shown.`;
  displayedResources = text;
}

async function refreshClock() {
  const { now } = await send("GET", "clock");
  byId("time").textContent = new Date(now * 1000).toISOString().replace(/\.\d+Z/, "Z");
}

function createNewResource() {
  const collection = byId("collection").value;
  const item = createResource(collection, { id: "new" });
  item.classList.add("unsaved");
  byId("resource-list").prepend(item);
  item.firstChild.open = true;
}

// All of it

const isOn = document.body.dataset.control === "on";

// A proxy and a replay store no resources, and have no clock.
const hasResources = document.body.dataset.resources === "on";

/** Shows the faults and the state, if the control is on. */
export async function refreshControl() {
  if (!isOn) {
    return;
  }
  await refreshFaults();
  if (hasResources) {
    await refreshResources();
    await refreshClock();
  }
}

/** Connects the forms and buttons. */
export function startControl() {
  for (const tab of document.querySelectorAll("#tabs [role=tab]")) {
    tab.addEventListener("click", () => selectTab(tab));
    tab.addEventListener("keydown", moveToTab);
  }
  for (const element of document.querySelectorAll(".control")) {
    element.hidden = !isOn;
  }
  for (const element of document.querySelectorAll(".stored")) {
    element.hidden = !hasResources;
  }
  if (!isOn) {
    return;
  }
  showFaultForm();
  byId("clear-faults").addEventListener("click", () =>
    change("fault-error", () => send("DELETE", "faults")),
  );
  byId("clear-log").addEventListener("click", () =>
    change("resource-error", () => send("DELETE", "exchanges")),
  );
  byId("collection").addEventListener("change", refreshResources);
  byId("new-resource").addEventListener("click", createNewResource);
  byId("reset").addEventListener("click", () =>
    change("resource-error", async () => {
      await send("POST", "reset");
      byId("resource-list").replaceChildren(); // an open editor has an older version
      displayedResources = "";
    }),
  );
  byId("clock-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const seconds = Number(byId("seconds").value);
    change("resource-error", () => send("POST", "clock/advance", { seconds }));
  });
}
