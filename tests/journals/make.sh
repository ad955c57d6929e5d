#!/usr/bin/env bash
# Makes the shop of today's format: tests/journals/make.sh NAME, with the release's own binary built.
# Two days of the sample shop's kind with a little of everything, and no secret but those written here.
# A folder once made for a release is never made again: it must open for ever.
set -euo pipefail
cd "$(dirname "$0")/../.."
regi=${REGI:-target/debug/regi}
shop=tests/journals/${1:?a name, such as format-1}
[ ! -e "$shop" ] || { echo "$shop is there already"; exit 1; }
export TZ=Asia/Tokyo
at() { "$regi" --shop "$shop" --lang ja --seed 1 --at "$1" "${@:2}"; }

at 2026-11-28T09:00:00+09:00 init --demo
at 2026-11-29T10:00:00+09:00 run - >/dev/null <<'DAY'
sign_in 1 111111
open_day 30000
scan 4901234567894
quantity 2
member 2900000000018
tender_cash 2000
department 1 498
line_discount 10%
sale_discount 30
tender_credit
scan 4901234567894
suspend 山田様
department 2 1200
take_out
tender_code
resume
tender_cash
formal_receipt 株式会社見本 200
reprint 01-000001
return 01-000001 1:1
tender_cash
void_receipt 01-000002 打ち間違い
no_sale 両替
paid_in 5000 両替
paid_out 800 切手
loan 10000
pickup 20000
new_member code=2900000009998 name=試験花子 kana=シケンハナコ phone=0300000000
edit_member note=見本
clear_member
set_price 4901234567894 258
set_pin 4 482915
training_on
department 1 100
tender_cash
training_off
count 10000x2 1000x5 100x7
z_report
DAY
at 2026-12-01T10:00:00+09:00 run - >/dev/null <<'DAY'
sign_in 1 111111
scan 4901234567894
tender_cash 1000
department 1 333
DAY
rm -rf "$shop/print" "$shop/backup" "$shop/journal/lock" "$shop/journal/reserve" "$shop/control.sock"
at 2026-12-01T11:00:00+09:00 verify
at 2026-12-01T11:00:00+09:00 export sales > "$shop.sales.csv"
rm -rf "$shop/journal/reserve" "$shop/journal/lock"
