namespace TeleCmi.Pipeline.Calls;

/// <summary>A customer who was missed, or not reached, and not spoken with since.</summary>
/// <param name="Number">The customer's number, as the newest call has it.</param>
/// <param name="Attempts">The calls that failed since the last contact, newest first.</param>
public sealed record CustomerToCallBack(string Number, IReadOnlyList<CallRecord> Attempts)
{
    private static readonly CallOutcome[] Failures = [CallOutcome.Busy, CallOutcome.NoAnswer, CallOutcome.AgentMissed, CallOutcome.Missed];

    /// <summary>Finds out whom to call back. Numbers are compared by their last digits.</summary>
    /// <param name="calls">The calls, newest first: what comes before a customer's last contact needs nobody any more.</param>
    /// <param name="isWanted">Which failed calls count; the others only tell of later contacts.</param>
    public static IReadOnlyList<CustomerToCallBack> Of(IEnumerable<CallRecord> calls, Predicate<CallRecord>? isWanted = null)
    {
        var customers = new List<Customer>();
        var byEnd = new Dictionary<string, List<Customer>>(StringComparer.Ordinal);
        foreach (var call in calls)
        {
            if (call.CustomerNumber is not { } number)
            {
                continue;
            }

            // Only those with the same end can be the same: comparing with every customer would grow with their square.
            var digits = PhoneNumber.Digits(number);
            var end = PhoneNumber.EndOf(digits);
            if (!byEnd.TryGetValue(end, out var alike))
            {
                byEnd.Add(end, alike = []);
            }

            var customer = alike.Find(known => PhoneNumber.AreSame(known.Digits, digits));
            if (customer is null)
            {
                customer = new Customer(number, digits);
                customers.Add(customer);
                alike.Add(customer);
            }

            customer.IsSettled |= call.IsContact || call.Outcome is CallOutcome.InProgress;
            if (!customer.IsSettled && Failures.Contains(call.Outcome) && (isWanted?.Invoke(call) ?? true))
            {
                customer.Attempts.Add(call);
            }
        }

        return [.. customers.Where(customer => customer.Attempts.Count > 0).Select(customer => new CustomerToCallBack(customer.Number, customer.Attempts))];
    }

    private sealed class Customer(string number, string digits)
    {
        public string Number { get; } = number;

        public string Digits { get; } = digits;

        public List<CallRecord> Attempts { get; } = [];

        public bool IsSettled { get; set; }
    }
}
