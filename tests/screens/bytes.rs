//! What a frame costs on the wire, and that a terminal shows what was drawn.

use regi::domain::money::yen;
use regi::screens::{Display, LastSale};

use crate::shop::{Shop, line, press, screens};

/// The most bytes a digit or a line may cost.
const MOST: usize = 300;

#[test]
fn a_digit_and_a_line_cost_few_bytes_and_idling_none() {
    for language in ["ja", "en"] {
        let mut shop = Shop::with_sale(language);
        let mut screens = screens("tenkey");
        let mut display = Display::new(Vec::new(), 80, 24);
        display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();
        for digit in "4901234".chars() {
            press(&mut screens, &shop, &digit.to_string());
            let bytes = display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();
            assert!((1..=MOST).contains(&bytes), "{bytes} bytes for {digit}");
        }
        press(&mut screens, &shop, "<esc>");
        display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();

        let sale = shop.sale.as_mut().unwrap();
        sale.lines.push(line(4, ("4987654321098", "国産 若鶏もも肉 徳用", 1, 1280, 0, "※")));
        sale.total += yen(1280);
        sale.taxes[1].base += yen(1280);
        sale.taxes[1].tax += yen(94);
        let bytes = display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();
        assert!((1..=MOST).contains(&bytes), "{bytes} bytes for a line");

        assert_eq!(display.draw(|cells| screens.draw(cells, &shop.model())).unwrap(), 0);
    }
}

#[test]
fn the_first_line_of_a_sale_takes_the_last_change_away_for_few_bytes() {
    for language in ["ja", "en"] {
        let mut shop = Shop::new(language);
        shop.last = Some(LastSale {
            receipt: "01-000123".to_owned(),
            total: yen(12_980),
            received: yen(20_000),
            change: yen(7_020),
        });
        let screens = screens("tenkey");
        let mut display = Display::new(Vec::new(), 80, 24);
        display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();

        let mut sale = Shop::with_sale(language).sale.unwrap();
        sale.lines.truncate(1);
        sale.taxes.truncate(1);
        sale.member = None;
        shop.sale = Some(sale);
        let bytes = display.draw(|cells| screens.draw(cells, &shop.model())).unwrap();
        assert!((1..=MOST).contains(&bytes), "{bytes} bytes for a first line in {language}");
    }
}
