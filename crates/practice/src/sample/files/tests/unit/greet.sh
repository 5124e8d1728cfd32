. ./tests/expect.sh
. ./src/greet.sh

expect "Hello, World!" "$(greet)"
expect "Hello, Ada!" "$(greet Ada)"
