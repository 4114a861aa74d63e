// Runs in the page before anything of its own. What is measured begins and ends in here, so that
// no round trip of the driver is in it.

const hook = (name) => document.querySelector(`[data-test="${name}"]`);

/** The element that shows a row of the list, if the row's content is there. */
const knownRow = (index) =>
    document.querySelector(`[data-test="row"][data-index="${index}"]:not([hidden], .is-unknown)`);

/** Whether the reading pane shows a row's message. */
const shows = (subject, words) =>
    hook("reader-subject")?.textContent === subject &&
    hook("reader-body-text")?.textContent.includes(words);

/**
 * Waits for the frame in which a condition holds, and until it is painted; gives the time then, in
 * milliseconds since the page began.
 */
const painted = (condition) =>
    new Promise((resolve) => {
        const look = () => {
            if (!document.body || !condition()) {
                return requestAnimationFrame(look);
            }
            // This message comes after the frame's paint.
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.now());
            port2.postMessage(null);
        };
        requestAnimationFrame(look);
    });

/** Does something and gives the milliseconds until its effect is painted. */
const measure = async (act, condition) => {
    const start = performance.now();
    act();
    return (await painted(condition)) - start;
};

const listAppears = painted(() => knownRow(0));

window.bench = {
    /** Milliseconds from the beginning of the page to the painted list. */
    list: () => listAppears,

    /** Milliseconds from the click that adds the demo account to the painted list. */
    tryDemo: () => measure(() => hook("try-demo").click(), () => knownRow(0)),

    /** Whether so many messages are stored. */
    stored: (count) => knownRow(0)?.getAttribute("aria-setsize") === String(count),

    /** Whether a row's message is stored: the row has a preview. */
    hasPreview: (index) => Boolean(knownRow(index)?.querySelector(".row-preview").textContent),

    /** Milliseconds from the click on a row to the painted message. */
    open: (index) => {
        const row = knownRow(index);
        const subject = row.querySelector(".row-subject").textContent;
        const number = subject.split(" ").at(-1);
        return measure(() => row.click(), () => shows(subject, `Message ${number}.`));
    },

    /** Milliseconds from the key that begins a search to the painted row that is found alone. */
    search: (words) => {
        const field = hook("search");
        field.value = words;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        return measure(
            () => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })),
            () => knownRow(0)?.getAttribute("aria-setsize") === "1",
        );
    },

    /** Milliseconds from the click that ends a search to the painted list. */
    endSearch: () =>
        measure(
            () => hook("search-end").click(),
            () => knownRow(0) && knownRow(0).getAttribute("aria-setsize") !== "1",
        ),

    /** Milliseconds from the scroll to an end of the list to the painted row there. */
    jumpTo: (index) => {
        const list = document.querySelector(".rows");
        return measure(
            () => list.scrollTo({ top: index === 0 ? 0 : list.scrollHeight, behavior: "instant" }),
            () => knownRow(index),
        );
    },
};
