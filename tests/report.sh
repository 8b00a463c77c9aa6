#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-report: the numbers of the page, hostile names, and, where chromium is installed, the page in a browser: what it shows, each
# button, and the files that it saves.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
tiny=$CDP_SOURCE/data/labeled/tiny

cdp-knn -k 14 --dim 48 -o m0.cdp "$tiny/features/m0.bin"
cdp-score vote --threshold 0.5 -o pairs.cdp m0.cdp
cdp-propagate --threshold 0.66 -o labels pairs.cdp
cdp-propagate --threshold 0.8 -o earlier pairs.cdp
cdp-sweep --labels "$tiny/meta.txt" -o table.tsv pairs.cdp
# Ten items each of two groups are linked within their group, and by one pair across; one more by a sure pair
perl -e 'for my $g (0, 1) { for my $i (0 .. 9) { print join("\t", 10 * $g + $i, 10 * $g + $_, 0.9), "\n" for $i + 1 .. 9 } }
    print "3\t14\t0.6\n19\t20\t0.99999\n21\t22\t0.5\n"' | cdp-view --from tsv -o two.cdp -
report() { cdp-report --pairs pairs.cdp --threshold 0.66 --truth "$tiny/meta.txt" --previous earlier --sweep table.tsv "$@" labels; }

# data ID FILE: the JSON of a part of a page
data() {
    perl -MMIME::Base64 -MCompress::Zlib -e 'my $id = shift; local $/; my ($text) = <> =~ m{<script type="text/plain" id="data-$id">(.*?)</script>}s or exit 1;
        print uncompress(decode_base64($text))' "$1" "$2"
}
# numbers ID KEY FILE: a list of numbers, one a line
numbers() { data "$1" "$3" | grep -o "\"$2\":\[[^]]*" | sed 's/.*\[//' | tr ',' '\n'; }

passes "a page" report --list "$tiny/list.txt" -o page.html
grep -q '<dt>items<dd>440<' page.html && grep -q "<dt>pairs<dd>$(cdp-view --to tsv pairs.cdp | awk '$3 > 0.66' | wc -l)<" page.html
ok $? "the number of items and of pairs above the threshold"
cdp-eval --format tsv labels "$tiny/meta.txt" | awk -F'\t' '$1 ~ /^(pairwise|bcubed)[.]kept[.]/ { printf "%.2f\n", $2 }' | sort >wanted
sed -n '/all items</s/<[^>]*>/ /gp' page.html | grep -o '[0-9]*\.[0-9][0-9]' | sort | cmp -s - wanted
ok $? "precision, recall and F are those of cdp-eval"
is "$(numbers clusters size page.html | awk '{ n += $1 } END { print NR, n }')" \
    "$(awk '$1 >= 0' labels | sort | uniq | wc -l) $(grep -c -v '^-1$' labels)" "all clusters"
# Medoid, weakest pair and bridges are those of cdp-explain, since the clusters are components.
cdp-explain audit --clusters labels --threshold 0.66 pairs.cdp |
    awk 'NR > 1 { printf "%d %d %s %d\n", $1, $2, $5 == "-" ? -1 : int(1000 * $5 + 0.5), $6 }' | sort >wanted
paste -d' ' <(numbers clusters label page.html) <(numbers clusters size page.html) <(numbers clusters weakest page.html) \
    <(numbers clusters bridges page.html) | sort >got
same got wanted "sizes, weakest pairs and bridges are those of cdp-explain"
numbers items item page.html | awk '{ n += $1; print n }' | sort -n | cmp -s - <(seq 0 439)
ok $? "each item once"
# Paths: each next item is of the same cluster, and the pair has the score.
numbers clusters size page.html >sizes
paste <(numbers items item page.html | awk '{ n += $1; print n }') <(numbers items next page.html) <(numbers items score page.html) |
    awk -v labels=labels 'BEGIN { from = 0; while ((getline l <labels) > 0) label[n++] = l; while ((getline s <"sizes") > 0) size[c++] = s }
        { item[NR - 1] = $1; next_of[NR - 1] = $2; score[NR - 1] = $3 }
        END { for (k = 0; k < c; k++) { for (p = from; p < from + size[k]; p++) if (next_of[p] >= 0) {
            a = item[p]; b = item[from + next_of[p]]; if (label[a] != label[b]) exit 1
            print (a < b ? a " " b : b " " a), score[p] } else roots++
            from += size[k] } if (roots != c) exit 1 }' >steps
ok $? "paths lead to one item of each cluster"
cdp-view --to tsv pairs.cdp | awk '{ print $1, $2, int(1000 * $3 + 0.5) }' | sort >scores
is "$(sort steps | comm -23 - scores | wc -l)" 0 "by pairs of the input"
same <(report -t 1 --list "$tiny/list.txt") <(report -t 3 --list "$tiny/list.txt") "threads"

# What cdp-score consensus found
cdp-knn -k 40 --dim 48 -o k0.cdp "$tiny/features/m0.bin"
cdp-score consensus --features "$tiny/features/m0.bin" -o found.cdp k0.cdp
cdp-propagate --method map found.cdp | cdp-report --pairs found.cdp - | sed -n 's/.*<p id=verdict>\([^:]*\): .* clusters, an estimated \([0-9]*\) %.*/\1 \2/p' >got
is "$(<got)" "$(cdp-view found.cdp | awk '/consensus: / { for (i = 1; i < NF; i++) v[$i] = $(i + 1) + 0; kind = v["strength"] >= 1 ? "Strong features" : v["strength"] <= 0 ? "Weak features" : "Features between weak and strong"
    printf "%s %.0f", kind, 100 * v["recall"] }')" "strong or weak features"
is "$(grep -c 'id=verdict' page.html)" 0 "pairs of a vote say nothing of it"

# Two groups and one pair between them: where the cluster might part, and scores near 1
cdp-propagate two.cdp | cdp-report --pairs two.cdp -o two.html -
is "$(data splits two.html)" "[[0,3,14,10,600]]" "where a cluster might part"
data items two.html | grep -q '"score":\[[^]]*\b10[45][0-9]\b'
ok $? "scores near 1 by their logarithm"

perl -e 'for my $g (0, 1) { for my $i (0 .. 4) { print join("\t", 5 * $g + $i, 5 * $g + $_, 1), "\n" for $i + 1 .. 4 } } print "3\t7\t0.995\n"' |
    cdp-view --from tsv -o sure.cdp -
cdp-propagate sure.cdp | cdp-report --pairs sure.cdp - | data splits - >got
is "$(cat got)" "[]" "not at a sure pair"

# Corrections: a must-link is a sure pair, and judged clusters are no suggestion
printf '3 14\n' >same
printf '3 19\n' >different
cdp-propagate two.cdp | cdp-report --pairs two.cdp --must-link same -o two.html -
is "$(data splits two.html | grep -c 600) $(data links two.html)" '0 {"must":[[3,14]],"cannot":[]}' "a must-linked pair does not part a cluster"
cdp-propagate --threshold 0.6 two.cdp >halves
is "$(cdp-report --pairs two.cdp halves | data between - | grep -c '\[\[[01],[01],1,600,')" 1 "halves might be one"
cdp-report --pairs two.cdp --cannot-link different halves >two.html
is "$(data between two.html) $(data links two.html)" '[] {"must":[],"cannot":[[3,19]]}' "unless they are cannot-linked"

# Support of items and clusters, by a plain computation
cdp-view --to tsv pairs.cdp | awk '$3 > 0.66' >strong.tsv
# supports K: "label mean least" in thousandths; with K = 0, the largest number of pairs. Writes `items` too.
supports() {
    awk -v K="$1" 'NR == FNR { label[NR - 1] = $1; size[$1]++; next }
        { pairs[$1]++; pairs[$2]++ }
        label[$1] == label[$2] { own[$1] += $3; own[$2] += $3 }
        END { if (!K) for (i in pairs) K = pairs[i] > K ? pairs[i] : K
            for (i = 0; i in label; i++) if ((l = label[i]) >= 0) { n = pairs[i] > K ? pairs[i] : K; n = n < size[l] - 1 ? n : size[l] - 1
                s = n ? own[i] / n : 1; sum[l] += s; if (!(l in least) || s < least[l]) least[l] = s
                printf "item %d %d\n", i, int(100 * s + 0.5) >"items" }
            for (l in sum) printf "%d %d %d\n", l, int(1000 * sum[l] / size[l] + 0.5), int(1000 * least[l] + 0.5) }' labels strong.tsv | sort
}
# supported PAGE: the same, of a page
supported() { paste -d' ' <(numbers clusters label "$1") <(numbers clusters cohesion "$1") <(numbers clusters least "$1") | sort; }
cdp-report --pairs strong.tsv -o free.html labels
same <(supported free.html) <(supports 0) "mean and least support of clusters, without a number of neighbours"
supports 14 >wanted
supported page.html >got
same got wanted "and with it"
paste -d' ' <(numbers items item page.html | awk '{ n += $1; print "item", n }') <(numbers items support page.html) | sort >got
sort items | comm -23 - got >missing
is "$(wc -l <missing)" 0 "and of items"
numbers clusters strangers page.html | sort -c -n -r
ok $? "clusters with true labels: those with most strangers first"
cdp-report --pairs pairs.cdp --threshold 0.66 labels >plain.html
paste -d' ' <(numbers clusters size plain.html) <(numbers clusters cohesion plain.html) <(numbers clusters least plain.html) |
    awk '$1 > 1 { now = $2 * $3; if (now < last - 2000) exit 1; last = now }'
ok $? "with pairs: those of the smallest product of mean and least support first"
! grep -q 'Strangers' plain.html && grep -q 'Strangers' page.html
ok $? "strangers need true labels"
# A group of 40, of which each item is linked to the next 6, and one of 4 with a weak item
perl -e 'for my $i (0 .. 39) { print join("\t", $i, ($i + $_) % 40, 0.9), "\n" for 1 .. 6 } print "40\t41\t.9\n40\t42\t.9\n41\t42\t.9\n42\t43\t.9\n"' |
    cdp-view --from tsv -o lists.cdp -
cdp-propagate lists.cdp | cdp-report --pairs lists.cdp -o lists.html -
is "$(numbers clusters size lists.html | xargs)" "4 40" "a large cluster of whole lists is not doubtful"

# Clusters that might be one, by a plain computation
cdp-report --pairs pairs.cdp --threshold 0.66 earlier >parted.html
awk 'NR == FNR { label[NR - 1] = $1; size[$1]++; next }
    { a = label[$1]; b = label[$2]; if (a < 0 || b < 0 || a == b) next; if (b < a) { t = a; a = b; b = t } sum[a " " b] += $3; n[a " " b]++ }
    END { for (k in sum) { split(k, c, " "); least = size[c[1]] < size[c[2]] ? size[c[1]] : size[c[2]]
        if (sum[k] / least > best) { best = sum[k] / least; first = k " " n[k] } } print first }' earlier strong.tsv >wanted
read -r first second pairs < <(data between parted.html | tr -d '[' | tr ',' ' ')
numbers clusters label parted.html >called
printf '%s %s %s\n' "$(sed -n "$((first + 1))p" called)" "$(sed -n "$((second + 1))p" called)" "${pairs%% *}" |
    awk '{ print ($1 < $2 ? $1 " " $2 : $2 " " $1), $3 }' >got
[ -s got ] && same got wanted "the likeliest to be one"

# Sizes and curves
grep -o '<tr><td>[0-9]* *[to0-9 ]*<td>.*' page.html | sed 's/<svg.*<\/svg>//; s/<[^>]*>/ /g; s/^ *\([0-9]*\) to [0-9]*/\1/' |
    awk -v wanted="$(cdp-eval --format tsv labels "$tiny/meta.txt" | awk -F'\t' '$1 == "bcubed.removed.precision" { print $2 }')" '
        { clusters += $2; items += $3; if ($5 != "-") sum += $3 * $5 }
        END { apart = sum / items - wanted; exit !(clusters == '"$(wc -l <sizes)"' && items > 300 && apart < 0.01 && apart > -0.01) }'
ok $? "sizes: all clusters, and their BCubed precision is that of cdp-eval"
is "$(grep -c '<polyline' page.html) $(grep -c 'class=mark.*>0.66<' page.html)" "4 1" "curves of metrics, and the threshold"
cut -f1-6 table.tsv | cdp-report --sweep - labels >counts.html
is "$(grep -c '<polyline' counts.html) $(grep -c 'class=mark' counts.html)" "3 0" "curves of counts without true labels"
is "$(cdp-report --sweep table.tsv --threshold 0.999 labels | grep -c 'class=mark')" 0 "no mark outside of the table"
printf 'threshold\tmax_size\tfscore\tbcubed\n0.5\t600\t-\t1\n0.6\t600\t50\t2\n0.5\t9\t1\t1\n' | cdp-report --sweep - labels >some.html
is "$(grep '<polyline' some.html | grep -o 'points="[^"]*' | wc -w | xargs)" 5 "a table that lacks numbers; of two largest sizes the first"
printf 'threshold\n1\nx\n' >damaged.tsv
fails 1 'damaged.tsv: line 3: expected a threshold' "a table that is damaged" cdp-report --sweep damaged.tsv labels
grep -q '<template id=command>cdp-propagate --method METHOD --threshold T --must-link must-link.txt --cannot-link cannot-link.txt PAIRS | cdp-relabel' page.html
ok $? "a command for the corrections"
fails 2 'threshold' "a threshold of nothing" cdp-report --threshold 0.5 labels

# markup in names, titles and files; bytes that are no UTF-8
perl -e 'for (0 .. 439) { print "item$_", $_ == 3 ? "<script>alert(1)</script>" : $_ == 4 ? "\"\x27&\\\x01\xff\xc3" : "", "\n" }' >hostile
cp labels '<b>x&y'
cdp-report --list hostile --title '</title><script>alert(2)</script>' '<b>x&y' >page2.html
cdp-report --list hostile '<b>x&y' >page3.html
! grep -q 'alert([12])</script>' page2.html && ! grep -qF '<b>x&y' page3.html
ok $? "markup is text"
data names page2.html | grep -qF 'item3<script>alert(1)</script>","item4\u0022' && data names page2.html | grep -qF "'&\\u005c\\u0001"$'\xef\xbf\xbd\xef\xbf\xbd"'
ok $? "names are data"
printf '9007199254740993\n-1\n9007199254740993\n7\n' >large
is "$(cdp-report large | data clusters - | grep -o '"label":[^]]*')" '"label":["9007199254740993",7' "labels beyond 2^53 are text"
for labels in '' '-1\n-1\n' '5\n'; do
    # shellcheck disable=SC2059 # a format
    printf -- "$labels" >few
    if [ -z "$labels" ]; then
        fails 1 'few' "no labels" cdp-report few
    else
        passes "labels: ${labels//\\n/ }" cdp-report few
    fi
done
printf '0\t1\t0.5\n' >short.tsv
fails 1 'labels' "pairs of other items" cdp-report --pairs short.tsv --truth "$tiny/meta.txt" few
fails 1 'hostile: 440 lines, but few has 1 item' "names of other items" cdp-report --list hostile few
fails 1 "no column 'threshold'" "no table of cdp-sweep" cdp-report --sweep hostile labels
fails 2 'images' "pictures without paths" cdp-report --images . labels
head -n 300 earlier >fewer
passes "earlier labels of fewer items" cdp-report --previous fewer labels
{ cat earlier && seq 100; } >longer
passes "and of more" cdp-report --previous longer labels

# pictures
mkdir images
perl -MMIME::Base64 -e 'print decode_base64("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")' >images/dot.png
awk '{ printf "%d #.png\n", NR }' labels >paths
cp images/dot.png 'images/1 #.png'
cdp-report --list paths --images images --embed -v labels >page4.html 2>err
grep -q '^cdp-report: 1 pictures* embedded' err && grep -q 'pictures are not below images' err && grep -q '"0":"data:image/png;base64,iVBOR' page4.html
ok $? "pictures are embedded, and those that are missing told"

# ---- in a browser

browser() {
    timeout 120 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$PWD/profile" \
        --virtual-time-budget=20000 --dump-dom "file://$PWD/$1" 2>browser.err
}
echo '<p>it works' >trial.html
browser trial.html | grep -q 'it works' || {
    skip "the page in a browser" "no chromium that runs here"
    done_testing
}
# browse PAGE SCRIPT: the page after the script, as text; a file that it saves goes to $PWD/saved
browse() {
    mkdir -p profile/Default saved
    echo "{\"download\":{\"default_directory\":\"$PWD/saved\",\"prompt_for_download\":false},
        \"profile\":{\"default_content_setting_values\":{\"automatic_downloads\":1}}}" >profile/Default/Preferences
    {
        cat "$1"
        echo "<script>addEventListener('error', (e) => document.body.dataset.error = e.message);
            const until = setInterval(async () => { if (!document.body.dataset.ready) return; clearInterval(until);
            try { $2 } catch (e) { document.body.dataset.error = e.message; } document.body.dataset.done = 'yes'; }, 10);</script>"
    } >browsed.html
    browser browsed.html
}
browse page.html "
    const result = [], say = (text) => result.push(text), wait = () => new Promise((done) => setTimeout(done, 50));
    const press = (id) => { if (!byId(id)) throw new Error('no ' + id); byId(id).click(); };
    say('rows ' + document.querySelectorAll('#look tbody tr').length);
    byId('order').value = 'size'; byId('order').dispatchEvent(new Event('change'));
    say('largest ' + document.querySelector('#look tbody td:nth-child(2)').textContent);
    byId('order').value = 'least'; byId('order').dispatchEvent(new Event('change'));
    say('least ' + document.querySelector('#look tbody td:nth-child(4)').textContent);
    byId('search').value = '000007'; press('find'); await wait();
    say('found ' + document.querySelector('#look tbody button').textContent);
    document.querySelector('#look tbody button').click(); await wait();
    say('shown ' + document.querySelector('#one .found button').textContent);
    const figures = [...document.querySelectorAll('#one figure')];
    figures[0].querySelector('button').click(); figures[1].querySelector('button').click();
    say('pressed ' + document.querySelectorAll('#one [aria-pressed=true]').length);
    press('same'); say('must ' + byId('must-text').textContent.trim());
    const why = [...document.querySelectorAll('#one figcaption button')].pop();
    why.click(); say('path ' + byId('path').children.length);
    const heading = document.querySelector('#one h2').textContent;
    press('after'); await wait(); say('next ' + (document.querySelector('#one h2').textContent !== heading));
    press('before'); await wait(); say('back ' + (document.querySelector('#one h2').textContent === heading));
    const judged = document.querySelector('#splits tbody button:last-of-type'); judged.click();
    say('cannot ' + byId('cannot-text').textContent.trim());
    say('merges ' + document.querySelectorAll('#merges tbody tr').length);
    say('changes ' + document.querySelector('#changes p').textContent);
    press('save-must'); press('save-cannot'); await wait();
    press('clear-must'); say('cleared [' + byId('must-text').textContent + ']');
    document.body.append(document.createElement('pre')); document.body.lastChild.id = 'result';
    document.body.lastChild.textContent = result.join('\n');
" >dom.html
sed -n '/<pre id="result">/,/<\/pre>/p' dom.html | sed 's/.*<pre id="result">//; s/<\/pre>.*//' >result
! grep -q 'data-error=' dom.html || note "$(grep -o 'data-error=[^>]*' dom.html)"
# said KEY: what the script said
said() { sed -n "s/^$1 //p" result; }
is "$(said rows)" "$(awk '{ print (NR - 1 < 50 ? NR : 50) }' sizes | tail -n 1)" "a page of clusters"
is "$(said largest)" "$(sort -n sizes | tail -n 1)" "in another order"
is "$(said least)" "$(numbers clusters least page.html | sort -n | awk 'NR == 1 { printf "%.3f", $1 / 1000 }')" "by the least supported item"
is "$(said found) $(said shown)" "000007.jpg 000007.jpg" "an item is found and shown"
is "$(said pressed)" 2 "items are selected"
[ "$(said path)" -gt 0 ]
ok $? "why an item is here"
is "$(said next) $(said back)" "true true" "the next and the previous cluster"
said changes | grep -q '^[0-9]* items that were in no cluster'
ok $? "what changed"
is "$(said cleared)" "[]" "links are cleared"
[ -n "$(said must)" ] && same saved/must-link.txt <(said must) "must-links are saved"
[ -n "$(said cannot)" ] && same saved/cannot-link.txt <(said cannot) "cannot-links are saved"
passes "cdp-propagate reads them" cdp-propagate --must-link saved/must-link.txt --cannot-link saved/cannot-link.txt -o corrected pairs.cdp
read -r a b <saved/must-link.txt
is "$(sed -n "$((a + 1))p" corrected)" "$(sed -n "$((b + 1))p" corrected)" "and follows them"
rm -rf saved profile
browse page4.html "open(0); await new Promise((done) => setTimeout(done, 50));
    document.body.append(document.createElement('pre')); document.body.lastChild.id = 'result';
    document.body.lastChild.textContent = [...document.querySelectorAll('#one img')].map((i) => i.getAttribute('src').slice(0, 22)).join('\n');" >dom.html
grep -qE 'images/[0-9]+%20%23.png' dom.html && ! grep -q 'data-error=' dom.html
ok $? "pictures by their paths, encoded"
browse two.html "byId('clear-must').click();" >dom.html
grep -A 1 'id="cannot-text"' dom.html | grep -q '3	19' && ! grep -q 'data-error=' dom.html
ok $? "earlier corrections are shown"
browse page2.html "document.body.append(document.createElement('pre')); document.body.lastChild.id = 'result';
    document.body.lastChild.textContent = 'scripts ' + document.querySelectorAll('script').length + ' title ' + document.title;" >dom.html
grep -q 'title &lt;/title&gt;&lt;script&gt;alert(2)&lt;/script&gt;' dom.html && ! grep -q 'data-error=' dom.html
ok $? "markup is inert in the browser"

done_testing
