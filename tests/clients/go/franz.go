package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

type franzProducer struct {
	made   *kgo.Client
	lock   sync.Mutex
	failed error
}

func newFranz(bootstrap string, chosen options) (producer, error) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	config := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codecs[chosen.Compression])}
	if chosen.TransactionalID != "" {
		config = append(config, kgo.TransactionalID(chosen.TransactionalID))
	}
	made, err := kgo.NewClient(config...)
	return &franzProducer{made: made}, err
}

func (own *franzProducer) send(next step) error {
	record := &kgo.Record{Topic: next.Topic, Key: []byte(next.Key), Value: []byte(next.Value)}
	for name, value := range next.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	own.made.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
		own.lock.Lock()
		defer own.lock.Unlock()
		if err != nil {
			own.failed = err
		}
	})
	return nil
}

func (own *franzProducer) flush() error {
	if err := own.made.Flush(context.Background()); err != nil {
		return err
	}
	own.lock.Lock()
	defer own.lock.Unlock()
	return own.failed
}

func (own *franzProducer) begin() error { return own.made.BeginTransaction() }

func (own *franzProducer) commit() error {
	return own.made.EndTransaction(context.Background(), kgo.TryCommit)
}

func (own *franzProducer) abort() error {
	return own.made.EndTransaction(context.Background(), kgo.TryAbort)
}

func (own *franzProducer) close() error {
	own.made.Close()
	return nil
}
