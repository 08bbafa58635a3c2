# Two processes that make calls side by side, most of which fail, until their beginnings are overwritten.
(n=0; while [ $n -lt 4000 ]; do [ -e /nonexistent ]; n=$((n + 1)); done) &
n=0
while [ $n -lt 300 ]; do cat "/nonexistent-$n"; n=$((n + 1)); done
wait
