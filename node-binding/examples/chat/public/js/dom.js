// Building and updating elements. Text always enters as text, so nothing a user writes is markup.

/** `h('button', { class: 'x', onclick: fn, 'aria-label': '…' }, 'text', child, …)` */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A symbol of icons.svg, hidden from assistive technology: the element around it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function avatar(user) {
  const node = h('span', { class: 'avatar', 'aria-hidden': 'true' }, [...user.name][0].toUpperCase());
  node.style.setProperty('--hue', hueOf(user.id));
  return node;
}

function hueOf(id) {
  let hash = 7;
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)) % 3600;
  // Steps of 24 degrees keep neighbours apart.
  return (hash % 15) * 24;
}

/**
 * Makes the children of `parent` follow `items`. A node is kept as long as its key is there, so focus
 * and hover survive an update of the list.
 */
export function keyed(parent, items, keyOf, create, update) {
  const kept = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map((item) => {
    const key = keyOf(item);
    const node = kept.get(key) ?? create(item);
    kept.delete(key);
    node.dataset.key = key;
    update(node, item);
    return node;
  });
  for (const node of kept.values()) node.remove();
  nodes.forEach((node, at) => {
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] ?? null);
  });
}

export const byId = (id) => document.getElementById(id);
