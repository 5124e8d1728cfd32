# Looks for words that are often misspelt.
while read -r line; do
    for wrong in teh recieve seperate occured; do
        case " $line " in
        *" $wrong "*)
            echo "README.md: $wrong, in: $line"
            exit 1
            ;;
        esac
    done
done <README.md
echo "nothing found"
