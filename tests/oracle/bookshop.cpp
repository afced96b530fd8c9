/*
 * bookshop: an ordinary C++ program that uses much of the standard library, to be looked at
 * while it waits for its next order. Every tenth cancelled order is lost.
 *
 * expect: definite leaks of class order; nothing else that Memcheck does not report
 */
#include <algorithm>
#include <any>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include <unistd.h>

namespace
{

struct item {
	virtual ~item() = default;
	virtual std::string title() const = 0;
	long price = 0;
};

struct book : item {
	std::string name, author;
	std::string title() const override
	{
		return author + ": " + name;
	}
};

struct record : virtual item {
	std::vector<std::string> tracks;
	std::string title() const override
	{
		return tracks.empty() ? "" : tracks.front();
	}
};

struct order {
	long number = 0;
	std::vector<std::shared_ptr<item>> items;
	std::weak_ptr<order> follows;
	std::function<long(long)> discount;
};

class shop
{
      public:
	shop()
	{
		for (int i = 0; i < 4; i++)
			clerks.emplace_back([this] { serve(); });
		for (auto &clerk : clerks)
			clerk.detach();
	}

	void stock(const std::string &catalogue)
	{
		static const std::regex line("(\\w+) (\\w+) ([0-9]+)\n");
		std::sregex_iterator end;
		for (std::sregex_iterator it(catalogue.begin(), catalogue.end(), line);
		     it != end; ++it) {
			auto added = std::make_shared<book>();
			added->author = (*it)[1];
			added->name = "The very long title of " + (*it)[2].str();
			added->price = std::stol((*it)[3]);
			by_author[added->author].insert(added);
			by_title.emplace(added->title(), added);
			if (added->price % 5 == 0) {
				auto music = std::make_shared<record>();
				music->tracks.assign(added->price % 9, added->name);
				by_title.emplace(music->title(), music);
			}
		}
	}

	void take(long number)
	{
		auto taken = new order;
		taken->number = number;
		taken->discount = [number](long price) { return price - number % 7; };
		for (const auto &entry : by_title) {
			if ((entry.second->price + number) % 11 == 0)
				taken->items.push_back(entry.second);
		}
		if (number % 10 == 0)
			return; /* cancelled, and forgotten */
		std::shared_ptr<order> kept(taken);
		if (!orders.empty())
			kept->follows = orders.back();
		orders.push_back(std::move(kept));
		try {
			if (orders.size() % 50 == 0)
				throw std::runtime_error("too many orders: " +
							 std::to_string(number));
		} catch (...) {
			complaints.push_back(std::current_exception());
		}
	}

      private:
	void serve()
	{
		std::unique_lock<std::mutex> lock(mutex);
		std::vector<std::string> notes(20, std::string(60, 'n'));
		arrived.wait(lock, [this, &notes] { return notes.empty() && closed; });
	}

	std::map<std::string, std::set<std::shared_ptr<item>>> by_author;
	std::unordered_map<std::string, std::shared_ptr<item>> by_title;
	std::deque<std::shared_ptr<order>> orders;
	std::list<std::exception_ptr> complaints;
	std::vector<std::thread> clerks;
	std::mutex mutex;
	std::condition_variable arrived;
	bool closed = false;
};

std::string catalogue()
{
	std::ostringstream text;
	for (int i = 0; i < 400; i++)
		text << "author" << i % 60 << " title" << i << ' ' << 10 + i * 7 % 90
		     << '\n';
	return text.str();
}

} // namespace

int main()
{
	auto bookshop = std::make_unique<shop>();
	bookshop->stock(catalogue());
	for (long number = 1; number <= 300; number++)
		bookshop->take(number);

	std::promise<std::string> word;
	auto answer =
		std::async(std::launch::async, [asked = word.get_future()]() mutable {
			return asked.get() + "!";
		});
	std::vector<std::variant<long, std::string, std::any>> odds = {
		42L, std::string(50, 'x'), std::any(std::vector<int>(99))
	};
	std::optional<std::string> maybe = std::string(70, 'y');

	sleep(1); /* for the clerks to come to rest */
	std::cout << "READY" << std::endl;
	for (;;)
		pause();
}
