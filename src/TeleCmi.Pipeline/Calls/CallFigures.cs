namespace TeleCmi.Pipeline.Calls;

/// <summary>What some calls come to.</summary>
/// <param name="Calls">How many there are.</param>
/// <param name="Reached">How many brought agent and customer together.</param>
/// <param name="ConnectRate">The share of those, from 0 to 1.</param>
/// <param name="TalkSeconds">How long they talked, as far as detail records say.</param>
/// <param name="ToCallBack">How many customers wait for a call.</param>
public sealed record CallFigures(int Calls, int Reached, double ConnectRate, long TalkSeconds, int ToCallBack)
{
    /// <summary>Counts calls.</summary>
    /// <param name="calls">The calls, newest first.</param>
    public static CallFigures Of(IReadOnlyCollection<CallRecord> calls)
    {
        var reached = calls.Count(call => call.IsContact);
        return new CallFigures(
            calls.Count,
            reached,
            calls.Count == 0 ? 0 : Math.Round((double)reached / calls.Count, 3),
            calls.Sum(call => call.TalkSeconds ?? 0),
            CustomerToCallBack.Of(calls).Count);
    }
}

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
        foreach (var call in calls)
        {
            if (call.CustomerNumber is not { } number)
            {
                continue;
            }

            var digits = PhoneNumber.Digits(number);
            var customer = customers.Find(known => PhoneNumber.AreSame(known.Digits, digits));
            if (customer is null)
            {
                customers.Add(customer = new Customer(number, digits));
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
