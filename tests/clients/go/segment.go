package main

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
)

var errNoTransactions = errors.New("kafka-go has no transactions")

type segmentProducer struct {
	made    *kafka.Writer
	waiting []kafka.Message
}

func newSegment(bootstrap string, chosen options) (producer, error) {
	codecs := map[string]kafka.Compression{
		"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
	made := &kafka.Writer{
		Addr:         kafka.TCP(bootstrap),
		Compression:  codecs[chosen.Compression],
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: 10 * time.Millisecond,
	}
	if chosen.Settings["balancer"] == "murmur2" {
		made.Balancer = kafka.Murmur2Balancer{}
	}
	return &segmentProducer{made: made}, nil
}

func (own *segmentProducer) send(next step) error {
	message := kafka.Message{Topic: next.Topic, Key: []byte(next.Key), Value: []byte(next.Value)}
	for name, value := range next.Headers {
		message.Headers = append(message.Headers, kafka.Header{Key: name, Value: []byte(value)})
	}
	own.waiting = append(own.waiting, message)
	return nil
}

func (own *segmentProducer) flush() error {
	waiting := own.waiting
	own.waiting = nil
	return own.made.WriteMessages(context.Background(), waiting...)
}

func (own *segmentProducer) begin() error  { return errNoTransactions }
func (own *segmentProducer) commit() error { return errNoTransactions }
func (own *segmentProducer) abort() error  { return errNoTransactions }
func (own *segmentProducer) close() error  { return own.made.Close() }
