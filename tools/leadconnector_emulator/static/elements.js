// Creates the elements of the page. Data is inserted as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function createElement(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

/** A button that carries out an action. */
export function createButton(text, action, className = "") {
  const button = createElement("button", className, text);
  button.type = "button";
  button.addEventListener("click", action);
  return button;
}
