// Where and what orders are made of: shops, places with their taxes, people, goods. All of it is invented; every name of a person
// begins with "Zz", so that a search for that mark finds personal data wherever it should not be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/amount.h"
#include "src/random.h"

namespace loadgen {

struct TaxRate {
    std::string title;
    Rate rate = 0;
    bool channel_liable = false;
};

struct Place {
    std::string country, country_name, province, province_name, city, zip;
    std::vector<TaxRate> taxes;    // On goods.
    std::vector<TaxRate> reduced;  // On goods of a lower rate; empty: such goods are free of tax.
};

struct Shop {
    std::string alias;
    std::string domain;
    std::string currency;
    int decimals = 2;
    int utc_offset_minutes = 0;
    bool taxes_included = true;
    std::vector<Place> places;  // Where most of its customers live.
};

// "us…" sells in USD without tax, everything else in EUR with tax.
[[nodiscard]] Shop shop_of(const std::string& alias, const std::string& domain);

// A currency a customer of the shop may pay in, and its price in millionths of the shop's.
struct ForeignCurrency {
    std::string code;
    int decimals = 2;
    std::int64_t per_million = 0;
};
[[nodiscard]] const std::vector<ForeignCurrency>& foreign_currencies(const Shop& shop);

// A place with two taxes on one line, and the one whose tax no mapping has.
[[nodiscard]] const Place& place_of_several_taxes(const Shop& shop);
[[nodiscard]] const Place& place_of_unmapped_tax();

struct Person {
    std::uint64_t id = 0;  // Of the customer account.
    std::string first_name, last_name, email, phone, street;
    std::string locale;
};
// The same person for the same number and shop; ids are shared between shops on purpose.
[[nodiscard]] Person person_of(const Shop& shop, std::uint64_t number);

struct Product {
    std::uint64_t variant_id = 0, product_id = 0;
    std::string sku, title, variant_title;
    Minor price = 0;  // In the shop's currency.
    std::int64_t grams = 0;
};
inline constexpr std::uint64_t kProducts = 500;
// SKU-0001 … SKU-0500, the same in every shop.
[[nodiscard]] Product product_of(std::uint64_t number);

}  // namespace loadgen
