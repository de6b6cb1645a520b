// Follows the steps on standard input with a client for Go; see ../steps.py.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"time"
)

type options struct {
	Client          string            `json:"client"`
	Compression     string            `json:"compression"`
	TransactionalID string            `json:"transactional_id"`
	Settings        map[string]string `json:"settings"`
}

type step struct {
	Do       string            `json:"do"`
	Producer int               `json:"producer"`
	Topic    string            `json:"topic"`
	Key      string            `json:"key"`
	Value    string            `json:"value"`
	Headers  map[string]string `json:"headers"`
}

type producer interface {
	begin() error
	send(step) error
	flush() error
	commit() error
	abort() error
	close() error
}

type client struct {
	module string
	make   func(bootstrap string, chosen options) (producer, error)
}

var clients = map[string]client{
	"sarama":   {"github.com/IBM/sarama", newSarama},
	"franz-go": {"github.com/twmb/franz-go", newFranz},
	"kafka-go": {"github.com/segmentio/kafka-go", newSegment},
}

func main() {
	var chosen options
	check(json.Unmarshal([]byte(os.Args[2]), &chosen))
	producers := map[int]producer{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var next step
		check(json.Unmarshal(lines.Bytes(), &next))
		check(follow(next, producers, chosen))
	}
	check(lines.Err())
	finished := time.Now().UnixMilli()
	for _, each := range producers {
		check(each.close())
	}
	fmt.Printf("{\"version\": %q, \"finished\": %d}\n", version(clients[chosen.Client].module), finished)
}

func follow(next step, producers map[int]producer, chosen options) error {
	own, found := producers[next.Producer]
	if !found {
		if chosen.TransactionalID != "" {
			chosen.TransactionalID = fmt.Sprintf("%s-%d", chosen.TransactionalID, next.Producer)
		}
		made, err := clients[chosen.Client].make(os.Args[1], chosen)
		if err != nil {
			return err
		}
		own, producers[next.Producer] = made, made
	}
	switch next.Do {
	case "begin":
		return own.begin()
	case "send":
		return own.send(next)
	case "flush":
		return own.flush()
	case "commit":
		return own.commit()
	case "abort":
		return own.abort()
	}
	return fmt.Errorf("unknown step %q", next.Do)
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, each := range info.Deps {
		if each.Path == module {
			return each.Version
		}
	}
	return "unknown"
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
