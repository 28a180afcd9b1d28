"use strict";

const byId = (id) => document.getElementById(id);
const shown = JSON.parse(byId("study").textContent);
const SLOT = `stvae-study-${shown.study}`;     // where the browser keeps the votes of this study
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "tie" };
const SECONDS = 6;                             // that a pair takes, for the announcement
const RETRY = 3000;                            // milliseconds until a vote that found no server is sent again
const LEAST = 250;                             // milliseconds within which a second press is taken for the first's echo

// rater: a random number. plan: which order of pairs. votes: in the order given. sent: how many of them the server has.
let state = null;
let shownAt = null;     // when the pair before the eye was complete; null while it is not
let collecting = false; // whether a server takes votes
let sending = false;

// What the browser keeps ----------------------------------------------------------------------------------------------

function fresh() {
  const numbers = crypto.getRandomValues(new Uint8Array(17));
  const rater = [...numbers.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { rater, plan: numbers[16] % shown.plans.length, votes: [], sent: 0, saved: 0 };
}

function remember() {
  try {
    localStorage.setItem(SLOT, JSON.stringify(state));
    return true;
  } catch {
    return false; // a private window, or a browser that keeps nothing for files
  }
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(SLOT));
  } catch {
    return null;
  }
}

// What leaves the page ------------------------------------------------------------------------------------------------

const ballot = (votes) => ({ format: "stvae-votes-1", study: shown.study, rater: state.rater, plan: state.plan,
                             simulated: false, votes });

function save() {
  const address = URL.createObjectURL(new Blob([JSON.stringify(ballot(state.votes))], { type: "application/json" }));
  const name = `votes-${shown.study.slice(0, 8)}-${state.rater.slice(0, 8)}.json`;
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  state.saved = state.votes.length;
  remember();
  tell();
}

// Whether this page came from `stvae study serve`. Addresses are relative, so that a proxy may stand between.
async function findServer() {
  if (!location.protocol.startsWith("http")) return;
  try {
    const answer = await fetch("votes", { cache: "no-store" });
    collecting = answer.ok && (await answer.json()).study === shown.study;
  } catch {
    collecting = false;
  }
}

// Votes one by one, each until the server has it on its disk.
async function send() {
  if (!collecting || sending) return;
  sending = true;
  const sender = state;
  while (state === sender && sender.sent < sender.votes.length) {
    try {
      const body = JSON.stringify(ballot([sender.votes[sender.sent]]));
      const answer = await fetch("votes", { method: "POST", body, headers: { "Content-Type": "application/json" } });
      const text = await answer.text();
      if (answer.status === 400) throw new Error(text || "the server refused a vote");
      if (answer.ok && text === "kept") { // a hub whose session has ended answers with its login page, and keeps nothing
        sender.sent += 1;
        remember();
      } else {
        await pause();
      }
    } catch (error) {
      if (!(error instanceof TypeError)) {
        complain(`${error.message}. Download your votes and hand the file in.`);
        collecting = false;
        break;
      }
      await pause(); // nobody answered
    }
    tell();
  }
  sending = false;
  tell();
}

function pause() {
  byId("status").textContent = "The server does not answer; votes are kept here and sent again.";
  return new Promise((resolve) => setTimeout(resolve, RETRY));
}

// What is seen --------------------------------------------------------------------------------------------------------

function complain(text) {
  byId("error").textContent = text;
  byId("error").hidden = false;
}

function tell() {
  const { votes, sent, saved } = state;
  const finished = votes.length === shown.plans[state.plan].length;
  const safe = collecting ? sent === votes.length : saved === votes.length;
  byId("keep").hidden = votes.length === 0;
  byId("next").hidden = !(finished && safe);
  byId("save").classList.toggle("main", finished && !safe);
  if (collecting) byId("status").textContent = safe ? "All your votes have arrived." : `${votes.length - sent} votes on their way …`;
  else byId("status").textContent = finished && safe ? "Saved as a file." : "";
  byId("outcome").textContent = collecting ? "That was all. You may close this page once your votes have arrived."
    : "That was all. Download your votes and give the file to whoever asked you.";
}

function view(name) {
  for (const section of ["welcome", "voting", "done"]) byId(section).hidden = section !== name;
}

function welcome() {
  const steps = shown.plans[state.plan].length;
  byId("count").textContent = steps;
  const minutes = Math.max(1, Math.round(steps * SECONDS / 60));
  byId("minutes").textContent = minutes === 1 ? "a minute" : `${minutes} minutes`;
  byId("keeps").textContent = remember() ? "You may close the page and come back: this browser keeps your votes."
    : "This browser keeps nothing: do not reload the page before you have downloaded your votes.";
  view("welcome");
}

// The next pair, or the end. Nothing can be chosen before all four pictures are there.
async function next() {
  const plan = shown.plans[state.plan], step = state.votes.length;
  shownAt = null;
  tell();
  if (step === plan.length) {
    view("done");
    byId("thanks").focus();
    return;
  }
  view("voting");
  byId("step").textContent = `Pair ${step + 1} of ${plan.length}`;
  Object.assign(byId("progress"), { max: plan.length, value: step });
  document.querySelector(".results").setAttribute("aria-busy", "true");
  const [trial, swapped] = plan[step];
  const [content, style, first, second] = shown.trials[trial];
  const numbers = { content, style, left: swapped ? second : first, right: swapped ? first : second };
  await Promise.all(Object.entries(numbers).map(([id, number]) => {
    byId(id).src = shown.pictures[number];
    return byId(id).decode();
  }));
  document.querySelector(".results").setAttribute("aria-busy", "false");
  shownAt = performance.now();
}

function choose(choice) {
  if (shownAt === null || performance.now() - shownAt < LEAST) return;
  const step = state.votes.length, [trial, swapped] = shown.plans[state.plan][step];
  const seconds = Math.round(performance.now() - shownAt) / 1000;
  state.votes.push({ step, trial, swapped, choice, seconds });
  remember();
  send();
  next();
}

function begin() {
  next();
  byId("step").focus(); // not a button: an Enter pressed twice would vote
}

// -----------------------------------------------------------------------------------------------------------------------

for (const place of document.querySelectorAll("[data-question]")) place.textContent = shown.question;
for (const button of document.querySelectorAll("[data-choice]")) {
  button.addEventListener("click", () => choose(button.dataset.choice));
}
addEventListener("keydown", (event) => {
  const plain = !(event.repeat || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  if (byId("voting").hidden || !plain || !(event.key in KEYS)) return;
  event.preventDefault(); // the arrow keys scroll otherwise
  choose(KEYS[event.key]);
});
byId("start").addEventListener("click", begin);
byId("save").addEventListener("click", save);
byId("next").addEventListener("click", () => {
  state = fresh();
  tell();
  welcome();
  byId("start").focus();
});
byId("study-name").textContent = shown.study.slice(0, 8);

(async () => {
  state = remembered() ?? fresh();
  await findServer();
  if (state.votes.length) {
    send();
    next();
  } else {
    welcome();
  }
})();
