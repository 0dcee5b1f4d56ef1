// Stands before Azurite in its own process (node --require gate.js .../blob/main.js): only here requests are plain text,
// so that the proxy need not open TLS. It gives accounts their keys, asks for storage roles, makes faults, and counts.
//
// stdin: the state, a line of JSON each time it changes; answered by {"ack": id}. Where stdin ends, the process does, and
// takes its data with it: that holds however the other side ended.
// stdout: a line of JSON for each request, before any byte of its answer leaves.
"use strict";
const fs = require("fs");
const https = require("https");
const path = require("path");
const readline = require("readline");

const blob = path.dirname(process.argv[1]);

// Telemetry is switched off; its library would be two thirds of the time that Azurite takes to start.
const insights = require.resolve("applicationinsights", { paths: [blob] });
require.cache[insights] = { id: insights, filename: insights, loaded: true, exports: {} };

const AccountDataStore = require(path.join(blob, "..", "common", "AccountDataStore")).default;
const Errors = require(path.join(blob, "errors", "StorageErrorFactory")).default;

let state = { accounts: {}, roles: {}, faults: {} };
const used = new Map(); // how often a fault was met, by its id: it outlives a new state

const tell = (message) => process.stdout.write(JSON.stringify(message) + "\n");

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    state = JSON.parse(line);
    tell({ ack: state.id });
  })
  .on("close", () => {
    fs.rmSync(process.env.ODIBI_SANDBOX_FOLDER, { recursive: true, force: true });
    process.exit(0);
  });

AccountDataStore.prototype.getAccount = (name) => {
  const key = state.accounts[name];
  return key && { name, key1: Buffer.from(key, "base64") };
};

// A wrong key or signature has one name in Azure; Azurite has two others, one of which means the firewall there.
Errors.getAuthorizationFailure = Errors.getInvalidAuthenticationInfo = (id) => Errors.getAuthenticationFailed(id, "");

// Who copies a blob by a SAS token has Azurite ask for the source: of itself, under a name that leads nowhere.
const axios = require(require.resolve("axios", { paths: [blob] }));
const itself = new https.Agent({ rejectUnauthorized: false });
itself.createConnection = (options, connected) =>
  https.Agent.prototype.createConnection.call(itself, { ...options, host: "127.0.0.1", port: itself.port }, connected);
Object.assign((axios.default || axios).defaults, { httpsAgent: itself, proxy: false });

// Azurite ends idle connections after 5 s, in the face of a client that has just taken one from its pool.
const KEEP_ALIVE_MS = 120_000;

const emit = https.Server.prototype.emit;
https.Server.prototype.emit = function (event, request, response) {
  if (event === "listening") {
    this.keepAliveTimeout = KEEP_ALIVE_MS;
    itself.port = this.address().port;
  }
  if (event !== "request") return emit.apply(this, arguments);
  report(request, response);
  const faults = state.faults[request.headers.host] || {};
  if (faults.hang) return true;
  const refused = refusal(request, faults);
  const answer = () => (refused ? refuse(request, response, refused) : emit.call(this, event, request, response));
  if (faults.delay) setTimeout(answer, faults.delay.ms);
  else answer();
  return true;
};

function report(request, response) {
  const url = request.url.replace(/([?&]sig=)[^&]*/, "$1[hidden]");
  const told = (status) => tell({ request: [request.headers.host, request.method, url, status] });
  const writeHead = response.writeHead;
  let reported = false;
  response.writeHead = function (status) {
    if (!reported) told(status);
    reported = true;
    return writeHead.apply(this, arguments);
  };
  response.on("close", () => reported || told(0));
}

// The error that answers a request in place of Azurite, or undefined.
function refusal(request, faults) {
  const how = authentication(request);
  const met = faults.answer;
  if (met && met.auth.includes(how) && counted(met)) return met;
  return how === "oauth" && !permitted(request) ? MISMATCH : undefined;
}

const MISMATCH = {
  status: 403,
  code: "AuthorizationPermissionMismatch",
  message: "This request is not authorized to perform this operation using this permission.",
};

function counted(fault) {
  const times = (used.get(fault.id) || 0) + 1;
  used.set(fault.id, times);
  return fault.times === null || times <= fault.times;
}

function authentication(request) {
  const header = request.headers.authorization || "";
  if (header.startsWith("Bearer ")) return "oauth";
  if (header) return "key";
  return /[?&]sig=/.test(request.url) ? "sas" : "none";
}

// Azurite takes any token of the right shape; whose it is, and what that one may do, it does not ask.
function permitted(request) {
  const payload = request.headers.authorization.split(".")[1] || "";
  const caller = claims(payload).oid;
  const role = (state.roles[request.headers.host.split(".")[0]] || {})[caller];
  return role === "write" || (role === "read" && ["GET", "HEAD"].includes(request.method));
}

function claims(payload) {
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString());
  } catch {
    return {};
  }
}

function refuse(request, response, { status, code, message, retry_after }) {
  const id = "00000000-0000-0000-0000-000000000000";
  const text = `${message}\nRequestId:${id}\nTime:${new Date().toISOString()}`;
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${text}</Message></Error>`;
  request.resume(); // what the client still sends is read, else it would see a reset instead of the answer
  response.writeHead(status, {
    "content-type": "application/xml",
    "x-ms-error-code": code,
    "x-ms-request-id": id,
    ...(retry_after ? { "retry-after": String(retry_after) } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
