// Runs in Netron's page before its own scripts. Netron 9.3 keeps its view in window.__view__; the graph on show is its
// `target`, whose `_table` leads from a node to what is drawn for it, and which tells when its selection has changed.
(() => {
    const KEY = 'workbench.id';
    // Netron asks for consent to cookies that it cannot set here.
    Object.defineProperty(Document.prototype, 'cookie', { get: () => 'consent=1', set: () => {} });
    const say = (kind, value) => console.log('WB:' + JSON.stringify({ kind, value }));
    const idOf = (node) => {
        const entry = node && Array.isArray(node.metadata) ? node.metadata.find((item) => item.name === KEY) : null;
        return entry ? entry.value : '';
    };
    let view = null;
    let told = '';
    let wanted = [];
    let silent = false;

    const tell = () => {
        const target = view.target;
        const ids = target ? Array.from(target._selection, (element) => idOf(element.value)).filter((id) => id) : [];
        const text = JSON.stringify(ids);
        if (text !== told) {
            told = text;
            say('selected', ids);
        }
    };

    // The node itself, or the one that holds it: a body is not on show until it is opened.
    const find = (byId, id) => {
        for (let key = id; key; key = key.split('.').slice(0, -2).join('.')) {
            if (byId.has(key)) {
                return byId.get(key);
            }
        }
        return null;
    };

    const select = () => {
        const target = view && view.target;
        if (!target || !target._table) {
            return;
        }
        const byId = new Map();
        for (const node of target._table.keys()) {
            const id = idOf(node);
            if (id) {
                byId.set(id, node);
            }
        }
        const nodes = new Set(wanted.map((id) => find(byId, id)).filter((node) => node));
        silent = true;
        const elements = target.select(Array.from(nodes));
        silent = false;
        told = JSON.stringify(Array.from(target._selection, (element) => idOf(element.value)).filter((id) => id));
        if (elements && elements.length > 0) {
            target.scrollTo(elements, 'instant');
        }
        say('shown', Array.from(nodes, idOf));
    };

    window.__workbench_select__ = (ids) => {
        wanted = ids;
        select();
    };

    const watch = (value) => {
        view = value;
        view.options.attributes = window.location.host === 'engine'; // time and tactic on the nodes themselves
        const target = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(view), 'target');
        Object.defineProperty(view, 'target', {
            get: () => target.get.call(view),
            set: (graph) => {
                target.set.call(view, graph);
                if (graph) {
                    graph.on('selectionchange', () => silent || setTimeout(tell, 0));
                }
            }
        });
        const show = view.show.bind(view);
        view.show = (page) => {
            show(page);
            if (view.target && page !== 'welcome spinner') {
                say('ready', Array.from(view.target._table ? view.target._table.keys() : []).filter(idOf).length);
                select();
            }
        };
    };

    let kept = undefined;
    Object.defineProperty(window, '__view__', {
        get: () => kept,
        set: (value) => {
            kept = value;
            watch(value);
        }
    });
})();
