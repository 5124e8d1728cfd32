# Every script must be one, and no line may end with a blank.
for file in src/*.sh tests/*.sh tests/unit/*.sh; do
    echo "checking $file"
    sh -n "$file" || exit 1
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        case $line in
        *[[:blank:]])
            echo "$file:$number: ends with a blank"
            exit 1
            ;;
        esac
    done <"$file"
done
