"use strict";
// What the page does. Data are in script elements (cmd/report/data.c): JSON, compressed, in base64. Clusters are in an order,
// the most doubtful first; a cluster is its number there, and `clusters.label` what it is called. Names of items may be anything, so they
// become text, never markup.

const PAGE = 50; // rows of a table, items of a gallery
const byId = (id) => document.getElementById(id);
let clusters, items, names, images, embedded;
let begin; // of each cluster's items in items.item
let at; // of each item in items.item

async function load(id) {
    const element = byId(`data-${id}`);
    if (!element) return null;
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    element.remove();
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

// make("button", { type: "button" }, "text", element...)
function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
}
const button = (text, press, more) => make("button", { type: "button", onclick: press, ...more }, text);
const decimals = (number) => (number < 0 ? "-" : number <= 1000 ? (number / 1000).toFixed(3)
    : number >= 1100 ? "1" : `1 \u2212 10^\u2212${((number - 1000) / 10).toFixed(1)}`);
const nameOf = (item) => (names ? names[item] : String(item));
const labelOf = (cluster) => (cluster < clusters.label.length ? `cluster ${clusters.label[cluster]}` : "no cluster");
const identityOf = (place) => {
    const group = items.identity[place];
    return group < 0 ? "?" : items.identities ? String(items.identities[group]) : `#${group}`;
};
const linkTo = (cluster, text) => make("a", { href: `#${clusters.label[cluster]}` }, text || labelOf(cluster));

// A table in pages. columns: [heading, row => text or element, true where it is text]...
function table(columns, rows, caption) {
    const body = make("tbody"), shown = make("span", { role: "status" });
    let page = 0;
    const draw = () => {
        const pages = Math.max(1, Math.ceil(rows.length / PAGE));
        page = Math.min(Math.max(page, 0), pages - 1);
        body.replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) =>
            make("tr", null, ...columns.map(([, cell, text]) => make("td", { class: text ? "text" : undefined }, cell(row))))));
        shown.textContent = `page ${page + 1} of ${pages}, ${rows.length} ${caption}`;
    };
    draw();
    const turn = (step) => () => { page += step; draw(); };
    return make("div", null,
        make("div", { class: "wide" }, make("table", null,
            make("thead", null, make("tr", null, ...columns.map(([heading]) => make("th", { scope: "col" }, heading)))), body)),
        rows.length > PAGE ? make("div", { class: "buttons" }, button("Previous", turn(-1)), shown, button("Next", turn(1))) : "");
}

// Puts elements below the heading and text of a section, and shows it.
function fill(id, ...elements) {
    const section = byId(id);
    while (section.children.length > 2) section.lastChild.remove();
    section.append(...elements);
    section.hidden = false;
}

// ---- corrections

const corrections = { must: [], cannot: [] }; // pairs of items
function correct(kind, a, b) {
    const key = (pair) => Math.min(...pair) + " " + Math.max(...pair);
    if (a === b) return;
    for (const list of Object.values(corrections)) {
        const old = list.findIndex((pair) => key(pair) === key([a, b]));
        if (old >= 0) list.splice(old, 1);
    }
    corrections[kind].push([a, b]);
    drawCorrections();
}
const textOf = (kind) => corrections[kind].map(([a, b]) => `${nameIn(a)}\t${nameIn(b)}\n`).join("");
// As cdp-propagate reads items: by names only if the labels have some.
const nameIn = (item) => (document.body.dataset.named ? nameOf(item) : String(item));
function save(kind) {
    const address = URL.createObjectURL(new Blob([textOf(kind)], { type: "text/plain" }));
    make("a", { href: address, download: `${kind}-link.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
}
function drawCorrections() {
    const part = (kind) => [
        make("h3", null, `${kind === "must" ? "Must-links" : "Cannot-links"}: ${corrections[kind].length}`),
        make("pre", { id: `${kind}-text`, tabindex: 0 }, textOf(kind)),
        make("div", { class: "buttons" }, button(`Save ${kind}-link.txt`, () => save(kind), { id: `save-${kind}` }),
            button("Clear", () => { corrections[kind] = []; drawCorrections(); }, { id: `clear-${kind}` })),
    ];
    fill("corrections", make("pre", { tabindex: 0 }, byId("command").content.textContent), ...part("must"), ...part("cannot"));
}
const judge = (a, b) => make("span", null, button("Same", () => correct("must", a, b)), " ", button("Different", () => correct("cannot", a, b)));

// ---- items

function clusterOf(place) {
    let low = 0, high = begin.length - 2;
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (begin[middle] <= place) low = middle;
        else high = middle - 1;
    }
    return low;
}

// The pairs that lead from an item to the medoid of its cluster.
function path(place) {
    const from = begin[clusterOf(place)], steps = [];
    for (let p = place; items.next[p] >= 0; p = from + items.next[p])
        steps.push(`${nameOf(items.item[p])} \u2013 ${nameOf(items.item[from + items.next[p]])}: ${decimals(items.score[p])}`);
    return steps;
}

function picture(item) {
    const inside = embedded && embedded[item];
    if (!images && !inside) return nameOf(item);
    const address = inside || `${images[0]}/${nameOf(item).split("/").map(encodeURIComponent).join("/")}`;
    return make("img", { src: address, alt: nameOf(item), loading: "lazy" });
}

let selected = new Set();
function figure(place, found) {
    const item = items.item[place];
    const choose = button("", (event) => {
        selected[selected.has(item) ? "delete" : "add"](item);
        event.currentTarget.setAttribute("aria-pressed", selected.has(item));
    }, { "aria-pressed": selected.has(item), "aria-label": `select ${nameOf(item)}` });
    choose.append(picture(item));
    const caption = make("figcaption", null, make("span", null, images ? nameOf(item) : ""));
    if (items.identity) caption.append(make("span", null, `identity ${identityOf(place)}`));
    if (items.support) caption.append(make("span", { title: "mean score of its pairs with the cluster, in per cent" }, `${items.support[place]} %`));
    if (items.next && items.next[place] >= 0)
        caption.append(button("Why?", () => byId("path").replaceChildren(...path(place).map((step) => make("li", null, step))),
            { "aria-label": `why ${nameOf(item)} is here` }));
    return make("figure", { class: found === item ? "found" : undefined }, choose, caption);
}

// Shows a cluster; `found` is an item to be seen.
function show(cluster, found) {
    const section = byId("one"), places = [];
    for (let p = begin[cluster]; p < begin[cluster + 1]; p++) places.push(p);
    if (items.support) places.sort((p, q) => items.support[q] - items.support[p] || p - q);
    if (found !== undefined) places.sort((p, q) => (items.item[q] === found) - (items.item[p] === found));
    const medoid = clusters.medoid && cluster < clusters.label.length ? clusters.medoid[cluster] : items.item[places[0]];
    selected = new Set();
    const gallery = make("div", { class: "gallery" });
    const more = button("More", () => grow(), { id: "more" });
    const grow = () => {
        const from = gallery.children.length;
        gallery.append(...places.slice(from, from + PAGE).map((place) => figure(place, found)));
        more.hidden = gallery.children.length >= places.length;
    };
    const chosen = (kind) => () => {
        const list = [...selected];
        if (kind === "must") for (let i = 1; i < list.length; i++) correct("must", list[0], list[i]);
        else for (const item of list) correct("cannot", medoid, item);
    };
    grow();
    section.replaceChildren(
        make("h2", { tabindex: -1 }, labelOf(cluster)),
        make("p", null, `${places.length} items` + (clusters.medoid && cluster < clusters.label.length
            ? `, medoid ${nameOf(medoid)}, mean score ${decimals(clusters.cohesion[cluster])}, of the least supported item ${decimals(clusters.least[cluster])}, weakest needed pair ${decimals(clusters.weakest[cluster])}, bridges ${clusters.bridges[cluster]}` : "")
            + (clusters.identities && cluster < clusters.label.length ? `, identities ${clusters.identities[cluster]}` : "") + "."),
        make("div", { class: "buttons" },
            button("Previous cluster", () => open(cluster - 1), { id: "before" }), button("Next cluster", () => open(cluster + 1), { id: "after" }),
            button("Selected are one", chosen("must"), { id: "same" }), button("Selected are not the medoid's", chosen("cannot"), { id: "different" })),
        make("ol", { class: "path", id: "path" }), gallery, make("div", { class: "buttons" }, more));
    section.hidden = false;
    section.firstChild.focus();
    section.scrollIntoView();
}
function open(cluster, found) {
    if (cluster < 0 || cluster >= begin.length - 1 || begin[cluster] === begin[cluster + 1]) return;
    wanted = found;
    const target = cluster < clusters.label.length ? `#${clusters.label[cluster]}` : "#none";
    if (location.hash === target) follow();
    else location.hash = target;
}
let wanted, clusterOfLabel;
function follow() {
    const target = decodeURIComponent(location.hash.slice(1));
    const cluster = target === "none" ? clusters.label.length : clusterOfLabel.get(target);
    if (cluster !== undefined && begin[cluster] < begin[cluster + 1]) show(cluster, wanted);
    wanted = undefined;
}

// ---- lists

const orders = {
    doubt: ["most doubtful", (a, b) => a - b],
    least: ["least supported item", (a, b) => clusters.least[a] - clusters.least[b], "least"],
    cohesion: ["mean score", (a, b) => clusters.cohesion[a] - clusters.cohesion[b], "cohesion"],
    size: ["largest", (a, b) => clusters.size[b] - clusters.size[a]],
    weakest: ["weakest pair", (a, b) => (clusters.weakest[a] < 0) - (clusters.weakest[b] < 0) || clusters.weakest[a] - clusters.weakest[b], "weakest"],
    bridges: ["most bridges", (a, b) => clusters.bridges[b] - clusters.bridges[a], "bridges"],
    identities: ["most identities", (a, b) => clusters.identities[b] - clusters.identities[a], "identities"],
};
function search(text) {
    const hits = [], needle = text.toLowerCase();
    if (/^\d+$/.test(text) && Number(text) < at.length) hits.push(Number(text));
    if (names) for (let i = 0; i < names.length && hits.length < 200; i++) if (names[i].toLowerCase().includes(needle) && i !== hits[0]) hits.push(i);
    return hits;
}
function look() {
    const place = make("div"), hits = make("div"), text = make("input", { type: "search", id: "search", placeholder: names ? "number or name" : "number" });
    const order = make("select", { id: "order" }, ...Object.entries(orders).filter(([, [, , needs]]) => !needs || clusters[needs])
        .map(([value, [shown]]) => make("option", { value }, shown)));
    const columns = [["cluster", (c) => linkTo(c, String(clusters.label[c])), true], ["items", (c) => String(clusters.size[c])]];
    const add = (heading, list, form) => clusters[list] && columns.push([heading, (c) => form(clusters[list][c])]);
    add("mean score", "cohesion", decimals);
    add("least supported item", "least", decimals);
    add("weakest pair", "weakest", decimals);
    add("bridges", "bridges", String);
    add("identities", "identities", String);
    add("strangers", "strangers", String);
    const draw = () => {
        const rows = clusters.label.map((_, c) => c).sort(orders[order.value][1]);
        place.replaceChildren(table(columns, rows, "clusters"));
    };
    order.addEventListener("change", draw);
    const none = begin[begin.length - 1] - begin[begin.length - 2];
    const form = make("form", { onsubmit: (event) => {
        event.preventDefault();
        const found = text.value.trim() ? search(text.value.trim()) : [];
        hits.replaceChildren(table([["item", (i) => button(nameOf(i), () => open(clusterOf(at[i]), i)), true],
            ["in", (i) => labelOf(clusterOf(at[i])), true]], found, "items found"), found.length ? "" : "no item found");
    } }, make("label", null, "Item ", text), make("button", { id: "find" }, "Find"), make("label", null, "Order ", order),
    none ? button(`${none} items in no cluster`, () => open(clusters.label.length), { id: "none" }) : "");
    draw();
    fill("look", form, hits, place);
}

function merges(between) {
    fill("merges", between.length ? table([["clusters", ([a, b]) => make("span", null, linkTo(a), ", ", linkTo(b)), true], ["judge", (row) => judge(row[4], row[5]), true],
        ["items", ([a, b]) => `${clusters.size[a]}, ${clusters.size[b]}`], ["pairs", (row) => String(row[2])],
        ["best pair", (row) => `${nameOf(row[4])}, ${nameOf(row[5])}: ${decimals(row[3])}`, true]],
    between, "suggestions") : "No pairs between clusters.");
}

function splits(rows) {
    fill("splits", rows.length ? table([["cluster", ([c]) => linkTo(c), true], ["judge", (row) => judge(row[1], row[2]), true], ["items of the parts", ([c, , , part]) => `${clusters.size[c] - part} + ${part}`],
        ["the pair between them", (row) => `${nameOf(row[1])}, ${nameOf(row[2])}: ${decimals(row[4])}`, true]],
    rows, "suggestions") : "None.");
}

function changes() {
    const earlier = new Map(), rows = [], number = (group) => (items.befores ? items.befores[group] : group);
    let joined = 0, left = 0;
    for (let c = 0; c < begin.length - 1; c++) {
        const from = new Map(), none = c === clusters.label.length;
        for (let p = begin[c]; p < begin[c + 1]; p++) {
            const group = items.before[p];
            if (group < 0) { joined += !none; continue; }
            if (none) { left++; continue; }
            from.set(group, (from.get(group) || 0) + 1);
        }
        for (const [group, count] of from) {
            if (!earlier.has(group)) earlier.set(group, []);
            earlier.get(group).push([c, count]);
        }
        if (from.size > 1) rows.push([c, [...from].sort((x, y) => y[1] - x[1])]);
    }
    const parted = [...earlier].filter(([, now]) => now.length > 1);
    const moved = (list) => list.reduce((sum, [, count]) => sum + count, 0) - Math.max(...list.map(([, count]) => count));
    rows.sort((x, y) => moved(y[1]) - moved(x[1]));
    parted.sort((x, y) => moved(y[1]) - moved(x[1]));
    byId("changes").children[1].textContent = `${joined} items that were in no cluster are in one, ${left} are in none any more; ${rows.length} clusters have items of several earlier ones, ${parted.length} earlier clusters are in several.`;
    fill("changes", table([["merged", ([c]) => linkTo(c), true], ["from (items)", ([, from]) => from.slice(0, 8).map(([g, n]) => `${number(g)} (${n})`).join(", "), true]], rows.slice(0, 1000), "merged"),
        table([["split", ([g]) => `earlier cluster ${number(g)}`, true], ["now (items)", ([, now]) => make("span", null, ...now.slice(0, 8).flatMap(([c, n]) => [linkTo(c), ` (${n}) `])), true]], parted.slice(0, 1000), "split"));
}

// ---- start

async function start() {
    if (!window.DecompressionStream) throw new Error("this browser is too old: it cannot decompress");
    clusters = await load("clusters");
    items = await load("items");
    for (let p = 1; p < items.item.length; p++) items.item[p] += items.item[p - 1];
    begin = [0];
    for (const size of clusters.size) begin.push(begin[begin.length - 1] + size);
    begin.push(items.item.length);
    at = new Uint32Array(items.item.length);
    items.item.forEach((item, p) => { at[item] = p; });
    names = await load("names");
    images = await load("images");
    embedded = byId("embedded") && JSON.parse(byId("embedded").textContent);
    clusterOfLabel = new Map(clusters.label.map((label, c) => [String(label), c]));
    look();
    const between = await load("between");
    if (between) {
        merges(between);
        splits(await load("splits"));
    }
    if (items.before) changes();
    Object.assign(corrections, await load("links"));
    drawCorrections();
    addEventListener("hashchange", follow);
    if (location.hash) follow();
    document.body.dataset.ready = "yes";
}
start().catch((error) => {
    byId("failed").textContent = `The page cannot be shown: ${error.message}`;
    byId("failed").hidden = false;
});
