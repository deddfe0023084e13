"""The read side: pure folds over the entries, which may be thrown away and rebuilt.

replay: which entries a cut shows, in the order told, and what they add up to. notice: the public notice.
history: log and show. availability, credits, downtime: what was down and what is owed. subscriptions: tables of
customers. views: SQL tables for what spans incidents. workbook: the spreadsheet for finance.
"""
