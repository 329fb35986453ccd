using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class RetryScheduleTests
{
    [Fact]
    public void Pauses_GrowFromSecondsToHours_AboutTwoDaysInAll()
    {
        var pauses = new List<TimeSpan>();
        for (var attempt = 1; RetrySchedule.Default.After(attempt, retryAfter: null) is { } pause; attempt++)
        {
            pauses.Add(pause);
        }

        pauses.Count.ShouldBe(RetrySchedule.Default.Attempts - 1);
        pauses[0].ShouldBeInRange(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6));
        pauses[^1].ShouldBeInRange(TimeSpan.FromHours(14), TimeSpan.FromHours(22));
        pauses.Aggregate((sum, pause) => sum + pause).ShouldBeInRange(TimeSpan.FromHours(38), TimeSpan.FromHours(58));
    }

    [Fact]
    public void Pauses_AreNotAllTheSame_SoThatWhatFailedTogetherComesBackApart() =>
        Enumerable.Range(0, 50).Select(_ => RetrySchedule.Default.After(6, retryAfter: null)).Distinct().Count().ShouldBeGreaterThan(40);

    [Fact]
    public void EveryPause_FitsAQueueMessage_WhichCanHideForSevenDays()
    {
        for (var attempt = 1; attempt < RetrySchedule.Default.Attempts; attempt++)
        {
            RetrySchedule.Default.After(attempt, TimeSpan.FromDays(365)).ShouldNotBeNull().ShouldBeLessThan(TimeSpan.FromDays(7));
        }
    }

    [Fact]
    public void RetryAfter_IsHonoured_WhenItIsLonger() =>
        RetrySchedule.Default.After(1, TimeSpan.FromMinutes(7)).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(8.4));

    [Fact]
    public void RetryAfter_ThatIsShorter_DoesNotHurryUs() =>
        RetrySchedule.Default.After(6, TimeSpan.FromSeconds(1)).ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.FromMinutes(45));

    [Fact]
    public void RetryAfter_WithoutEnd_IsCutToADay() =>
        RetrySchedule.Default.After(1, TimeSpan.MaxValue).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromDays(1), TimeSpan.FromDays(1.2));

    [Fact]
    public void Deferrals_GrowFromSecondsToMinutes_AndKeepTheDistanceAskedFor()
    {
        RetrySchedule.AfterDeferral(0, TimeSpan.Zero).ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.2));
        RetrySchedule.AfterDeferral(100, TimeSpan.Zero).ShouldBeInRange(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(12));
        RetrySchedule.AfterDeferral(0, TimeSpan.FromMinutes(30)).ShouldBeInRange(TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(36));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 30)]
    [InlineData(3, 120)]
    [InlineData(4, 600)]
    [InlineData(5, 1800)]
    [InlineData(6, 3600)]
    [InlineData(7, 7200)]
    [InlineData(8, 14400)]
    [InlineData(9, 28800)]
    [InlineData(10, 50400)]
    [InlineData(11, 64800)]
    public void EveryPause_IsTheDocumentedOne_AFifthLongerOrShorter(int attempt, int seconds)
    {
        var pauses = Enumerable.Range(0, 300).Select(_ => RetrySchedule.Default.After(attempt, retryAfter: null).ShouldNotBeNull().TotalSeconds / seconds).ToArray();

        pauses.Min().ShouldBeInRange(0.8, 0.9);
        pauses.Max().ShouldBeInRange(1.1, 1.2);
    }

    [Fact]
    public void LastAttempt_HasNoPauseBehindIt_WhateverTheReceiverAsksFor()
    {
        var schedule = new RetrySchedule(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));

        schedule.Attempts.ShouldBe(3);
        schedule.After(2, retryAfter: null).ShouldNotBeNull();
        schedule.After(3, TimeSpan.FromMinutes(1)).ShouldBeNull();
        schedule.Life.ShouldBe(TimeSpan.FromSeconds(6));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(5, 32)]
    [InlineData(9, 512)]
    [InlineData(10, 600)]
    [InlineData(int.MaxValue, 600)]
    public void Deferrals_DoubleUpToTenMinutes(int deferrals, int seconds) =>
        RetrySchedule.AfterDeferral(deferrals, TimeSpan.Zero).TotalSeconds.ShouldBeInRange(seconds, seconds * 1.2);
}
