# Runs every file of tests/unit and says which of them failed.
failed=
for test in tests/unit/*.sh; do
    echo "== $test"
    if sh "$test"; then
        printf '   \033[32mpassed\033[0m\n'
    else
        printf '   \033[31mFAILED\033[0m\n'
        failed="$failed $test"
    fi
done
if [ -n "$failed" ]; then
    echo "failed:$failed"
    exit 1
fi
echo "all passed"
