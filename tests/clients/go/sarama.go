package main

import "github.com/IBM/sarama"

type saramaProducer struct {
	made    sarama.SyncProducer
	waiting []*sarama.ProducerMessage
}

func newSarama(bootstrap string, chosen options) (producer, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	if err := config.Producer.Compression.UnmarshalText([]byte(chosen.Compression)); err != nil {
		return nil, err
	}
	if chosen.TransactionalID != "" {
		config.Producer.Idempotent = true
		config.Producer.Transaction.ID = chosen.TransactionalID
		config.Net.MaxOpenRequests = 1
	}
	made, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	return &saramaProducer{made: made}, err
}

func (own *saramaProducer) send(next step) error {
	message := &sarama.ProducerMessage{
		Topic: next.Topic,
		Key:   sarama.StringEncoder(next.Key),
		Value: sarama.StringEncoder(next.Value),
	}
	for name, value := range next.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(name), Value: []byte(value)})
	}
	own.waiting = append(own.waiting, message)
	return nil
}

func (own *saramaProducer) flush() error {
	waiting := own.waiting
	own.waiting = nil
	return own.made.SendMessages(waiting)
}

func (own *saramaProducer) begin() error  { return own.made.BeginTxn() }
func (own *saramaProducer) commit() error { return own.made.CommitTxn() }
func (own *saramaProducer) abort() error  { return own.made.AbortTxn() }
func (own *saramaProducer) close() error  { return own.made.Close() }
