using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>
/// The settings that the triggers name. The pipeline has defaults for them, the platform has none: without them a
/// trigger never listens, and only a line in the host's log says so. So here a missing one stops the app.
/// </summary>
internal static class TriggerSettings
{
    /// <summary>When calls are reconciled: an NCRONTAB expression, UTC.</summary>
    public const string ReconcileScheduleSetting = "TeleCmiReconcileSchedule";

    public static IServiceCollection AddTriggerSettings(this IServiceCollection services) => services
        .AddSingleton<IValidateOptions<QueueOptions>, Validator>()
        .AddSingleton<IValidateOptions<ReconcileOptions>, ScheduleValidator>();

    internal sealed class ScheduleValidator(IConfiguration configuration) : IValidateOptions<ReconcileOptions>
    {
        public ValidateOptionsResult Validate(string? name, ReconcileOptions options) =>
            options.IsOn && string.IsNullOrWhiteSpace(configuration[ReconcileScheduleSetting])
                ? ValidateOptionsResult.Fail($"{ReconcileScheduleSetting}: not set, and the timer trigger needs it. Set it to 0 10 * * * * (ten minutes past every hour).")
                : ValidateOptionsResult.Success;
    }

    internal sealed class Validator(IConfiguration configuration) : IValidateOptions<QueueOptions>
    {
        public ValidateOptionsResult Validate(string? name, QueueOptions options)
        {
            var missing = new List<string>();
            Check(missing, QueueOptions.EventsSetting, options.Events);
            Check(missing, QueueOptions.ForwardsSetting, options.Forwards);
            return missing.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(missing);
        }

        private void Check(List<string> missing, string setting, string inUse)
        {
            if (string.IsNullOrWhiteSpace(configuration[setting]))
            {
                missing.Add($"{setting}: not set, and the queue trigger needs it. Set it to {inUse}.");
            }
        }
    }
}
