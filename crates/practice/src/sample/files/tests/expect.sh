# expect WANTED GOT: ends the test unless both are the same.
expect() {
    if [ "$1" = "$2" ]; then
        echo "   $2"
    else
        echo "   expected: $1"
        echo "   but got:  $2"
        exit 1
    fi
}
