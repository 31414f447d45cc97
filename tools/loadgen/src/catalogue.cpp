#include "src/catalogue.h"

#include <fmt/format.h>

#include <array>

namespace loadgen {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFirstNames{"Zzara"sv, "Zzoltan"sv, "Zzelda"sv, "Zzeno"sv, "Zzuri"sv,  "Zzora"sv,
                                 "Zzev"sv,  "Zzinnia"sv, "Zzane"sv,  "Zzoé"sv,  "Zzümra"sv, "Zzita"sv};
constexpr std::array kLastNames{"Zzbrook"sv, "Zzlarsen"sv, "Zzmoor"sv, "O'Zzain"sv, "Zzquist"sv, "de Zzwart"sv,
                                "Zzñuñez"sv, "Zzimmer"sv,  "Zzhang"sv, "Zzappa"sv,  "Zzell"sv,   "Zzobel-Zzorn"sv};
constexpr std::array kStreets{"Zzlane"sv, "Zzhill Road"sv, "Rue du Zzénith"sv, "Zzgasse"sv, "Zzplein"sv};
constexpr std::array kWords{"Lamp"sv, "Chair"sv, "Kettle"sv, "Jacket"sv, "Notebook"sv, "Snowboard"sv, "Basket"sv, "Mirror"sv};
constexpr std::array kColours{"green"sv, "walnut"sv, "sand"sv, "grey"sv, "coral"sv};

constexpr std::uint64_t kCustomerIds = 9'500'000'000'000'000ULL;
constexpr std::uint64_t kVariantIds = 9'600'000'000'000'000ULL;
constexpr std::uint64_t kProductIds = 9'700'000'000'000'000ULL;

std::vector<Place> european_places() {
    return {
        {"FR", "France", "", "", "Zzville", "75999", {{"TVA", 20'000, false}}, {{"TVA", 5'500, false}}},
        {"DE", "Germany", "", "", "Zzstadt", "10999", {{"MwSt", 19'000, false}}, {{"MwSt", 7'000, false}}},
        {"BE", "Belgium", "", "", "Zzdorp", "1999", {{"BTW", 21'000, false}}, {{"BTW", 6'000, false}}},
        {"NL", "Netherlands", "", "", "Zzdam", "1099 ZZ", {{"BTW", 21'000, false}}, {{"BTW", 9'000, false}}},
        {"IT", "Italy", "MI", "Milano", "Zzano", "20199", {{"IVA", 22'000, false}}, {{"IVA", 10'000, false}}},
        {"ES", "Spain", "M", "Madrid", "Zzoria", "28999", {{"IVA", 21'000, false}}, {{"IVA", 10'000, false}}},
        {"AT", "Austria", "", "", "Zzburg", "1999", {{"USt", 20'000, false}}, {{"USt", 10'000, false}}},
    };
}

std::vector<Place> american_places() {
    return {
        {"US", "United States", "CA", "California", "Zz Beach", "90999", {{"California State Tax", 7'250, false}}, {}},
        {"US", "United States", "TX", "Texas", "Zzaustin", "73999", {{"Texas State Tax", 6'250, false}}, {}},
        {"US", "United States", "FL", "Florida", "Zzami", "33999", {{"Florida State Tax", 6'000, false}}, {}},
        {"US", "United States", "WA", "Washington", "Zzeattle", "98999", {{"Washington State Tax", 6'500, false}}, {}},
        {"US", "United States", "IL", "Illinois", "Zzicago", "60999", {{"Illinois State Tax", 6'250, false}}, {}},
    };
}

}  // namespace

Shop shop_of(const std::string& alias, const std::string& domain) {
    Shop shop;
    shop.alias = alias;
    shop.domain = domain;
    const bool american = alias.starts_with("us");
    shop.currency = american ? "USD" : "EUR";
    shop.utc_offset_minutes = american ? -300 : 60;
    shop.taxes_included = !american;
    shop.places = american ? american_places() : european_places();
    return shop;
}

const std::vector<ForeignCurrency>& foreign_currencies(const Shop& shop) {
    static const std::vector<ForeignCurrency> for_euro{
        {"GBP", 2, 857'310}, {"CHF", 2, 947'700}, {"SEK", 2, 11'284'500}, {"JPY", 0, 162'370'000}, {"USD", 2, 1'083'150}};
    static const std::vector<ForeignCurrency> for_dollar{
        {"CAD", 2, 1'362'800}, {"EUR", 2, 923'230}, {"JPY", 0, 149'910'000}, {"GBP", 2, 791'470}};
    return shop.currency == "USD" ? for_dollar : for_euro;
}

const Place& place_of_several_taxes(const Shop& shop) {
    static const Place new_york{"US",
                                "United States",
                                "NY",
                                "New York",
                                "New Zzork",
                                "10099",
                                {{"New York State Tax", 4'000, false}, {"New York City Tax", 4'500, false}},
                                {}};
    static const Place quebec{
        "CA", "Canada", "QC", "Quebec", "Zzontréal", "H1Z 9Z9", {{"GST", 5'000, false}, {"QST", 9'975, false}}, {}};
    return shop.currency == "USD" ? new_york : quebec;
}

const Place& place_of_unmapped_tax() {
    static const Place portugal{"PT", "Portugal", "", "", "Zzisboa", "1999-999", {{"IVA", 23'000, false}}, {}};
    return portugal;
}

Person person_of(const Shop& shop, std::uint64_t number) {
    Random random(number, 1, shop.alias);
    Person person;
    person.id = kCustomerIds + number;
    person.first_name = random.one_of(kFirstNames);
    person.last_name = random.one_of(kLastNames);
    person.email = fmt::format("zz.customer.{}.{}@example.com", shop.alias, number);
    person.phone =
        shop.currency == "USD" ? fmt::format("+1555010{:04}", number % 10'000) : fmt::format("+3355501{:05}", number % 100'000);
    person.street = fmt::format("{} Zz{}", random.one_of(kStreets), 1 + random.below(200));
    person.locale = shop.currency == "USD" ? "en-US" : random.one_of(std::array{"fr"sv, "de"sv, "en"sv, "nl"sv});
    return person;
}

Product product_of(std::uint64_t number) {
    Random random(number, 2, "product");
    Product product;
    product.variant_id = kVariantIds + number;
    product.product_id = kProductIds + (number + 1) / 2;
    product.sku = fmt::format("SKU-{:04}", number);
    product.title = fmt::format("{} {}", random.one_of(kWords), number);
    product.variant_title = random.one_of(kColours);
    // Prices that end in 9 and 5, and some that end in anything: rounding shows on these.
    product.price = 199 + static_cast<Minor>(random.below(180)) * 100;
    product.price -= number % 3 == 0 ? static_cast<Minor>(random.below(100)) : (number % 3 == 1 ? 0 : 4);
    product.grams = 50 + static_cast<std::int64_t>(random.below(40)) * 50;
    return product;
}

}  // namespace loadgen
