// Follows the steps on standard input with kafkajs; see ../steps.py.
"use strict";

const { readFileSync } = require("node:fs");
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require("kafkajs");
const SnappyCodec = require("kafkajs-snappy");

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
const COMPRESSION = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };

const [, , bootstrap, chosen] = process.argv;
const options = JSON.parse(chosen);
const kafka = new Kafka({ clientId: "publish", brokers: [bootstrap], logLevel: logLevel.ERROR });
const producers = new Map();

async function producer(number) {
  if (!producers.has(number)) {
    const transactionalId = options.transactional_id ? `${options.transactional_id}-${number}` : undefined;
    const own = { transactionalId, idempotent: Boolean(transactionalId), maxInFlightRequests: 1, ...options.settings };
    const made = kafka.producer(own);
    await made.connect();
    producers.set(number, { made, transaction: undefined, waiting: [] });
  }
  return producers.get(number);
}

async function flush(own) {
  const byTopic = new Map();
  for (const { topic, key, value, headers } of own.waiting.splice(0)) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), { key, value, headers }]);
  }
  const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic, messages }));
  if (topicMessages.length > 0) {
    const batch = { topicMessages, acks: -1, compression: COMPRESSION[options.compression] };
    await (own.transaction ?? own.made).sendBatch(batch);
  }
}

async function follow(step) {
  const own = await producer(step.producer);
  switch (step.do) {
    case "begin":
      own.transaction = await own.made.transaction();
      break;
    case "send":
      own.waiting.push(step);
      break;
    case "flush":
      await flush(own);
      break;
    case "commit":
    case "abort":
      await flush(own);
      await own.transaction[step.do]();
      own.transaction = undefined;
      break;
    default:
      throw new Error(JSON.stringify(step));
  }
}

async function main() {
  for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    await follow(JSON.parse(line));
  }
  const finished = Date.now();
  for (const { made } of producers.values()) {
    await made.disconnect();
  }
  console.log(JSON.stringify({ version: require("kafkajs/package.json").version, finished }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
