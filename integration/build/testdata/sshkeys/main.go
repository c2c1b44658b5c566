// Command sshkeys asks the agent at SSH_AUTH_SOCK which keys it has, and prints
// the public ones, one a line, as .pub files have them
// (https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent).
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

const (
	requestIdentities = 11
	identitiesAnswer  = 12
)

func main() {
	conn, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := conn.Write([]byte{0, 0, 0, 1, requestIdentities}); err != nil {
		log.Fatal(err)
	}
	answer := readString(conn)
	if answer[0] != identitiesAnswer {
		log.Fatalf("the agent's answer is %d", answer[0])
	}
	count, rest := binary.BigEndian.Uint32(answer[1:]), answer[5:]
	for range count {
		var key []byte
		key, rest = cutString(rest)
		_, rest = cutString(rest) // the comment
		fmt.Println(base64.StdEncoding.EncodeToString(key))
	}
}

// readString reads a string with its length before it.
func readString(r io.Reader) []byte {
	var length uint32
	if err := binary.Read(r, binary.BigEndian, &length); err != nil {
		log.Fatal(err)
	}
	s := make([]byte, length)
	if _, err := io.ReadFull(r, s); err != nil {
		log.Fatal(err)
	}
	return s
}

// cutString cuts a string with its length before it off the beginning of b.
func cutString(b []byte) (s, rest []byte) {
	n := binary.BigEndian.Uint32(b)
	return b[4 : 4+n], b[4+n:]
}
